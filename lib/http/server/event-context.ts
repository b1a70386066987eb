import type { EventEmitter } from 'node:events';
import type { Context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import type { AnyMethod } from '../../core/wrap-method.js';

// The key of a property of the emitter. A WeakMap with an entry for each request would be expensive for the garbage collector.
const OBSERVER = Symbol('nestjs-tracing observer');
/** The key of the emitter's own `emit`, if it had one. */
const OWN_EMIT = Symbol('nestjs-tracing emit');

/** Observes the events of an emitter. */
export interface EmitterObserver {
  /** The context in which listeners are called. */
  readonly context: Context;
  /**
   * Called after the listeners of an event. Must not throw.
   *
   * @param emitter the emitter, or an object that the application has derived from it
   */
  afterEvent(emitter: object, event: unknown): void;
}

type Emit = (this: Observed, event: unknown, ...args: unknown[]) => unknown;

interface Observed {
  [OBSERVER]?: EmitterObserver;
  [OWN_EMIT]?: Emit;
  readonly emit: Emit;
  listenerCount(event: unknown): number;
}

/**
 * Calls the listeners of an emitter in the context of its observer. Node itself calls the listeners of a request and its response in the
 * context of the connection.
 *
 * The emitter gets an own `emit` that calls the one it had or inherits. It gets no listener, so that `listenerCount()` returns the same as
 * without tracing.
 */
export function observeEvents(emitter: EventEmitter, observer: EmitterObserver): void {
  const observed = emitter as unknown as Observed;
  // This comparison takes a small part of the time of `Object.hasOwn()`, since requests and responses have many properties.
  if (observed.emit !== prototypeOf(observed).emit) observed[OWN_EMIT] = observed.emit;
  observed[OBSERVER] = observer;
  Object.defineProperty(emitter, 'emit', EMIT);
}

/** Returns the observer of an emitter. Undefined if it has none. */
export function observerOf(emitter: object): EmitterObserver | undefined {
  return (emitter as Observed)[OBSERVER];
}

function emit(this: Observed, event: unknown): unknown {
  const inherited = inheritedEmit(this);
  const observer = this[OBSERVER] as EmitterObserver;
  try {
    // oxlint-disable-next-line eslint/prefer-rest-params -- a list of the arguments would be one more object for each event
    const args = arguments as unknown as unknown[];
    // Most events have no listener, and changing the context has a cost.
    if (this.listenerCount(event) === 0) return Reflect.apply(inherited, this, args);
    return callInContext(observer.context, inherited as AnyMethod, this, args);
  } finally {
    observer.afterEvent(this, event);
  }
}

/** Returns the method that an emitter would have without its own `emit`. The application may have derived the emitter, by `Object.create()`. */
function inheritedEmit(emitter: Observed): Emit {
  const own = emitter[OWN_EMIT];
  if (own) return own;
  let prototype = prototypeOf(emitter);
  while (prototype.emit === emit) prototype = prototypeOf(prototype);
  return prototype.emit;
}

function prototypeOf(emitter: Observed): Observed {
  return Object.getPrototypeOf(emitter) as Observed;
}

/** The descriptor that all emitters share: there are two emitters for each request. */
const EMIT: PropertyDescriptor = { value: emit, configurable: true, writable: true, enumerable: false };
