import { channel } from 'node:diagnostics_channel';
import { types } from 'node:util';
import { afterwards } from '../core/afterwards.js';
import { callSafely, reportIgnored } from '../core/diagnostics.js';
import { combineUndos, interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { applications, type DataApplication } from './applications.js';
import { dataLibraries } from './libraries.js';
import type { DataLibrary, InstanceKind } from './library.js';

/** An object that is instrumented. */
interface TracedInstance {
  /** The applications in whose dependency injection it is. The settings of the last one apply. */
  readonly owners: DataApplication[];
  /** True if the application has asked for it with `tracePool()`. */
  isPinned: boolean;
  /** The clients of other libraries that it has created since. */
  readonly clients: Set<object>;
  undo: () => void;
}

/** An object, and what it is in the terms of its library. */
interface RecognizedInstance {
  readonly instance: object;
  readonly library: DataLibrary;
  readonly kind: InstanceKind;
}

const NAME = 'nestjs-tracing:traced-instances';

/** All copies of the library share a diagnostics channel, which therefore holds the instances: none is instrumented by two copies. */
const holder = channel(NAME) as { [NAME]?: WeakMap<object, TracedInstance> };
const instances = (holder[NAME] ??= new WeakMap<object, TracedInstance>());

const kindsOfProperties = dataLibraries
  .flatMap(({ instances: kinds = [] }) => kinds)
  .filter((kind) => kind.isSoughtInProperties === true);

/** True for an object that is traced as a property of a provider as well. */
export function isSoughtInProperties(candidate: unknown): boolean {
  if (!isObject(candidate) || types.isProxy(candidate)) return false;
  return kindsOfProperties.some((kind) => callSafely(`Looking for ${kind.name}`, () => kind.matches(candidate)));
}

/** Returns an object if a library knows it, and the clients of other libraries that it uses. */
export function recognizeInstances(
  candidate: unknown,
  isTraced: (library: DataLibrary) => boolean = () => true,
): readonly RecognizedInstance[] {
  const recognized = recognizeInstance(candidate);
  if (!recognized || !isTraced(recognized.library)) return [];
  return [recognized, ...recognizeClients(recognized, isTraced)];
}

function recognizeClients(
  { instance, kind }: RecognizedInstance,
  isTraced: (library: DataLibrary) => boolean,
): readonly RecognizedInstance[] {
  const clients = callSafely(`Looking for the clients of ${kind.name}`, () => kind.clientsOf?.(instance)) ?? [];
  return clients.flatMap((client) => recognizeInstances(client, isTraced));
}

function recognizeInstance(candidate: unknown): RecognizedInstance | undefined {
  if (!isObject(candidate) || types.isProxy(candidate)) return undefined;
  for (const library of dataLibraries) {
    const kind = library.instances?.find((each) =>
      callSafely(`Looking for ${each.name}`, () => each.matches(candidate)),
    );
    if (kind) return { instance: candidate, library, kind };
  }
  return undefined;
}

/** Instruments an object for an application that has it in dependency injection. */
export function traceInstance(recognized: RecognizedInstance, owner: DataApplication): void {
  const owners = instrument(recognized)?.owners;
  if (owners && !owners.includes(owner)) owners.push(owner);
}

/** Instruments an object that dependency injection does not show, for all applications of the process. */
export function pinInstance(recognized: RecognizedInstance): void {
  const traced = instrument(recognized);
  if (traced) traced.isPinned = true;
}

/** Ends the use of an object by an application. The object is as it was if nothing else uses it. */
export function releaseInstance(instance: object, owner: DataApplication): void {
  const traced = instances.get(instance);
  if (!traced) return;
  const index = traced.owners.indexOf(owner);
  if (index !== -1) traced.owners.splice(index, 1);
  for (const client of traced.clients) releaseInstance(client, owner);
  if (traced.owners.length > 0 || traced.isPinned) return;
  instances.delete(instance);
  callSafely('Undoing the instrumentation of a database client', traced.undo);
}

function instrument(recognized: RecognizedInstance): TracedInstance | undefined {
  const { instance, kind, library } = recognized;
  const existing = instances.get(instance);
  if (existing || !kind.instrument) return existing;
  const owners: DataApplication[] = [];
  try {
    const undo = kind.instrument(instance, () => (owners.at(-1) ?? applications.newest)?.settings?.[library.name]);
    const traced: TracedInstance = { owners, isPinned: false, clients: new Set(), undo };
    instances.set(instance, traced);
    if (kind.connectMethods) traced.undo = combineUndos([undo, followClients(recognized, traced)]) ?? undo;
    return traced;
  } catch (error) {
    reportIgnored(`Tracing ${kind.name}`, error);
    return undefined;
  }
}

/** Instruments the clients that an object creates later on, for those that the object is traced for. Returns a function that ends it. */
function followClients(recognized: RecognizedInstance, traced: TracedInstance): (() => void) | undefined {
  const { instance, kind } = recognized;
  function traceClients(): void {
    for (const owner of traced.owners) {
      const clients = recognizeClients(recognized, ({ name }) => owner.settings?.[name] !== undefined);
      for (const client of clients) {
        traceInstance(client, owner);
        traced.clients.add(client.instance);
      }
    }
    if (traced.isPinned) for (const client of recognizeClients(recognized, () => true)) pinInstance(client);
  }
  return combineUndos(
    (kind.connectMethods ?? []).map((method) =>
      interceptMethod(instance, method, (connect, thisArg, args) =>
        afterwards(Reflect.apply(connect, thisArg, args), () =>
          callSafely(`Looking for the clients of ${kind.name}`, traceClients),
        ),
      ),
    ),
  );
}
