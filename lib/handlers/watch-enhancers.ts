import { types } from 'node:util';
import type { Type } from '@nestjs/common';
import type { ApplicationConfig, ModulesContainer } from '@nestjs/core';
import { isObservable, tap } from 'rxjs';
import { context } from '@opentelemetry/api';
import { activeEntry, type Entry } from '../core/entry.js';
import { Operation } from '../core/operation.js';
import { shadow } from '../core/shadow.js';
import { methodNames } from './methods.js';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** A kind of what Nest calls enhancers: what it runs around a handler. */
interface Enhancer {
  /** The method that Nest calls. */
  readonly method: string;
  /** Under this key the decorator keeps those that were made by hand: `@UseGuards(new RolesGuard('admin'))`. */
  readonly metadata: string;
  readonly globals: (applicationConfig: ApplicationConfig) => readonly unknown[];
  readonly reached?: (entry: Entry) => void;
  /** Whether no other provider would have a method of this name. */
  readonly distinct?: boolean;
}

const ENHANCERS: readonly Enhancer[] = [
  {
    method: 'canActivate',
    metadata: '__guards__',
    globals: (applicationConfig) => applicationConfig.getGlobalGuards(),
    reached: (entry) => entry.guardReached(),
    distinct: true,
  },
  {
    method: 'intercept',
    metadata: '__interceptors__',
    globals: (applicationConfig) => applicationConfig.getGlobalInterceptors(),
    // It comes after the guards, of which there may be none.
    reached: (entry) => entry.guardReached(),
  },
  {
    method: 'transform',
    metadata: '__pipes__',
    globals: (applicationConfig) => applicationConfig.getGlobalPipes(),
  },
];

const DISTINCT = ENHANCERS.filter(({ distinct }) => distinct);

/** Under this key parameter decorators keep their pipes. */
const PARAMETERS_METADATA = '__routeArguments__';

const watched = new WeakMap<object, Set<string>>();

/**
 * Lets the spans around them see what guards, interceptors and pipes throw, and requests that they were reached. Nest has no hook for them, so
 * the instances that exist get a method of their own that listens and passes everything through. Those that are made anew
 * for each request are not seen.
 */
export function watchEnhancers(applicationConfig: ApplicationConfig, modules: ModulesContainer): void {
  for (const enhancer of ENHANCERS) {
    for (const instance of enhancer.globals(applicationConfig)) watch(instance, enhancer);
  }
  for (const module of modules.values()) {
    for (const wrapper of module.injectables.values()) {
      if (wrapper.isDependencyTreeStatic()) watchAny(wrapper.instance, ENHANCERS);
    }
    for (const wrapper of module.providers.values()) {
      if (wrapper.isDependencyTreeStatic()) watchAny(wrapper.instance, DISTINCT);
    }
    for (const { metatype } of module.controllers.values()) {
      if (metatype) for (const instance of madeByHand(metatype as Type)) watchAny(instance, ENHANCERS);
    }
  }
}

function madeByHand(controller: Type): unknown[] {
  const prototype = controller.prototype as Record<string, object | undefined>;
  const names = methodNames(controller);
  const targets = [controller, ...names.map((name) => prototype[name])];
  const keys = ENHANCERS.map(({ metadata }) => metadata);
  return [
    ...targets.flatMap((target) => (target ? keys.flatMap((key) => listUnder(key, target)) : [])),
    ...names.flatMap((name) => pipesOfParameters(controller, name)),
  ];
}

function listUnder(key: string, target: object): unknown[] {
  return (Reflect.getMetadata(key, target) as unknown[] | undefined) ?? [];
}

function pipesOfParameters(controller: Type, name: string): unknown[] {
  const parameters = (Reflect.getMetadata(PARAMETERS_METADATA, controller, name) ?? {}) as Record<
    string,
    { readonly pipes?: readonly unknown[] }
  >;
  return Object.values(parameters).flatMap(({ pipes = [] }) => pipes);
}

function watchAny(instance: unknown, enhancers: readonly Enhancer[]): void {
  for (const enhancer of enhancers) watch(instance, enhancer);
}

function watch(instance: unknown, { method: name, reached }: Enhancer): void {
  if (typeof instance !== 'object' || instance === null || types.isProxy(instance)) return;
  const known = watched.get(instance);
  if (known?.has(name)) return;
  const method = methodOf(instance, name);
  if (!method) return;
  function observed(this: unknown, ...args: unknown[]): unknown {
    const entry = activeEntry();
    const around = Operation.in(context.active());
    if (!entry || !around) return Reflect.apply(method as Method, this, args);
    reached?.(entry);
    if (!around.recording) return Reflect.apply(method as Method, this, args);
    let result: unknown;
    try {
      result = Reflect.apply(method as Method, this, args);
    } catch (thrown) {
      around.recordException(thrown);
      throw thrown;
    }
    return listen(name, result, around);
  }
  if (shadow(instance, name, observed)) watched.set(instance, (known ?? new Set()).add(name));
}

function listen(name: string, result: unknown, around: Operation): unknown {
  if (typeof result !== 'object' || result === null) return result;
  const failed = (thrown: unknown) => around.recordException(thrown);
  // What a pipe brings is the handler's argument, which may be an Observable that has methods of its own.
  if (isObservable(result)) return name === 'transform' ? result : result.pipe(tap({ error: failed }));
  if (!types.isPromise(result)) return result;
  void result.then(undefined, failed);
  // What an async interceptor brings is still to be listened to.
  return name === 'intercept' ? result.then((brought) => listen(name, brought, around)) : result;
}

// Getters are not asked: a provider may be anything.
function methodOf(instance: object, name: string): Method | undefined {
  for (let owner: object | null = instance; owner; owner = Object.getPrototypeOf(owner) as object | null) {
    const own = Object.getOwnPropertyDescriptor(owner, name);
    if (own) return typeof own.value === 'function' ? (own.value as Method) : undefined;
  }
  return undefined;
}
