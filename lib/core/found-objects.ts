import { types } from 'node:util';
import { callSafely, debug } from './diagnostics.js';
import { isObject } from './is-object.js';
import type { ProviderWatchOptions } from './provider-instances.js';
import { ownValues } from './readable.js';

/** A kind of object that an application has in dependency injection, such as the queues of a library. */
export interface ObjectKind {
  /** The name that diagnostics show, such as `Bull queue`. */
  readonly name: string;
  /** True if a provider often has such an object as a property, instead of being one. @default false */
  readonly isSoughtInProperties?: boolean;
  /** True if an object is of this kind. It must not call code of the application: neither getters nor methods. */
  matches(candidate: object): boolean;
  /** Instruments an object. Returns a function that undoes it. */
  instrument(instance: object): () => void;
}

/** Counts the objects that were found, by the name of their kind. */
export class FoundCounts {
  readonly #counts = new Map<string, number>();

  add(kind: string): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }

  /** Writes what was found so far, if anything was. */
  report(): void {
    const found = [...this.#counts].map(([kind, count]) => (count === 1 ? kind : `${count} × ${kind}`));
    if (found.length > 0) debug(`Found in dependency injection and traced: ${found.join(', ')}`);
  }
}

/** Instruments the objects of some kinds, as they are found in the dependency injection of an application. */
export class FoundObjects implements ProviderWatchOptions {
  readonly #undos = new Map<object, () => void>();
  readonly #counts = new FoundCounts();
  readonly #kindsOfProperties: readonly ObjectKind[];

  constructor(private readonly kinds: readonly ObjectKind[]) {
    this.#kindsOfProperties = kinds.filter((kind) => kind.isSoughtInProperties === true);
  }

  readonly onInstance = (candidate: unknown): void => {
    if (this.#look(candidate, this.kinds) || this.#kindsOfProperties.length === 0) return;
    for (const value of ownValues(candidate)) this.#look(value, this.#kindsOfProperties);
  };

  /** Nothing that lives as long as one request is instrumented. */
  readonly onRequestInstance = (): void => {};
  readonly watchesFactory = (): boolean => false;

  /** Writes what was found so far, if anything was. */
  report(): void {
    this.#counts.report();
  }

  /** Ends the instrumentation of all of them. */
  release(): void {
    for (const undo of this.#undos.values()) callSafely('Ending the tracing of an object', undo);
    this.#undos.clear();
  }

  /** Returns true if an object is of one of these kinds. */
  #look(candidate: unknown, kinds: readonly ObjectKind[]): boolean {
    if (!isObject(candidate) || types.isProxy(candidate)) return false;
    if (this.#undos.has(candidate)) return true;
    const kind = kinds.find((each) => callSafely(`Looking for a ${each.name}`, () => each.matches(candidate)) === true);
    if (!kind) return false;
    const undo = callSafely(`Tracing a ${kind.name}`, () => kind.instrument(candidate));
    this.#undos.set(candidate, undo ?? (() => {}));
    this.#counts.add(kind.name);
    return true;
  }
}
