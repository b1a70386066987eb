import { types } from 'node:util';
import type { CanActivate, Type } from '@nestjs/common';
import { MetadataScanner, type ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import { isObservable, tap } from 'rxjs';
import { activeEntry, type Entry } from '../core/entry.js';
import { shadow } from '../core/shadow.js';

/** Under this key `@UseGuards()` keeps its guards. */
const GUARDS_METADATA = '__guards__';

const watched = new WeakSet<object>();

/**
 * Lets server spans see what guards throw, and that guards were reached. Nest runs guards before interceptors and
 * has no hook for them, so the instances that exist get a `canActivate` of their own that listens and passes
 * everything through. Guards that are made anew for each request are not seen.
 */
export function watchGuards(applicationConfig: ApplicationConfig, modules: ModulesContainer): void {
  for (const guard of applicationConfig.getGlobalGuards()) watchGuard(guard);
  for (const module of modules.values()) {
    for (const wrapper of [...module.injectables.values(), ...module.providers.values()]) {
      if (wrapper.isDependencyTreeStatic()) watchGuard(wrapper.instance);
    }
    for (const { metatype } of module.controllers.values()) {
      for (const guard of guardsOn(metatype as Type | null)) watchGuard(guard);
    }
  }
}

// Guards that were made by hand, `@UseGuards(new RolesGuard('admin'))`, are known to nobody else.
function guardsOn(controller: Type | null): unknown[] {
  if (!controller) return [];
  const prototype = controller.prototype as Record<string, object>;
  const methods = new MetadataScanner().getAllMethodNames(prototype).map((name) => prototype[name]);
  return [controller, ...methods].flatMap((target) =>
    target ? ((Reflect.getMetadata(GUARDS_METADATA, target) as unknown[] | undefined) ?? []) : [],
  );
}

function watchGuard(guard: unknown): void {
  if (!isGuard(guard) || watched.has(guard)) return;
  const { canActivate } = guard;
  function observed(this: CanActivate, ...args: Parameters<CanActivate['canActivate']>) {
    const entry = activeEntry();
    entry?.guardReached();
    let result: ReturnType<CanActivate['canActivate']>;
    try {
      result = Reflect.apply(canActivate, this, args);
    } catch (thrown) {
      entry?.recordException(thrown);
      throw thrown;
    }
    return entry ? listen(result, entry) : result;
  }
  if (shadow(guard, 'canActivate', observed)) watched.add(guard);
}

function listen(result: ReturnType<CanActivate['canActivate']>, entry: Entry): typeof result {
  if (typeof result === 'boolean') return result;
  const failed = (thrown: unknown) => entry.recordException(thrown);
  if (isObservable(result)) return result.pipe(tap({ error: failed }));
  if (types.isPromise(result)) void result.then(undefined, failed);
  return result;
}

function isGuard(instance: unknown): instance is CanActivate {
  return (
    typeof instance === 'object' &&
    instance !== null &&
    'canActivate' in instance &&
    typeof instance.canActivate === 'function'
  );
}
