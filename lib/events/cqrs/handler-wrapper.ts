import { isObject } from '../../core/is-object.js';

/** The members of Nest's `InstanceWrapper` that are read here. */
export interface HandlerWrapper {
  readonly instance?: unknown;
  readonly metatype?: unknown;
  readonly inject?: unknown;
}

/** Returns the class of a handler. A handler that a factory creates has that of its instance, as in the package itself. */
export function handlerType({ inject, instance, metatype }: HandlerWrapper): object | undefined {
  const type = inject ? (instance as { constructor?: unknown } | undefined)?.constructor : metatype;
  return isObject(type) ? type : undefined;
}
