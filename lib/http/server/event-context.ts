import type { EventEmitter } from 'node:events';
import type { Context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import type { AnyMethod } from '../../core/wrap-method.js';

// The key of a property of the emitter. A WeakMap with an entry for each request would be expensive for the garbage collector.
const OBSERVER = Symbol('nestjs-tracing observer');
/** The key of the `emit` that the emitter had or inherited. */
const PREVIOUS_EMIT = Symbol('nestjs-tracing emit');

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
  [PREVIOUS_EMIT]?: Emit;
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
  observed[PREVIOUS_EMIT] = observed.emit;
  observed[OBSERVER] = observer;
  Object.defineProperty(emitter, 'emit', EMIT);
}

/** Returns the observer of an emitter. Undefined if it has none. */
export function observerOf(emitter: object): EmitterObserver | undefined {
  return (emitter as Observed)[OBSERVER];
}

// It runs for each event of each request. So it has a form for an event without arguments, which most are: the general one needs an object for
// the list of the arguments. The application may have derived the emitter by `Object.create()`, and the properties are then those of its
// prototype.
function emit(this: Observed, event: unknown): unknown {
  const previous = this[PREVIOUS_EMIT] as Emit;
  const observer = this[OBSERVER] as EmitterObserver;
  // Most events have no listener, and changing the context has a cost.
  const hasListener = this.listenerCount(event) > 0;
  try {
    if (arguments.length === 1 && !hasListener) return previous.call(this, event);
    // oxlint-disable-next-line eslint/prefer-rest-params -- see above
    const args = arguments as unknown as unknown[];
    if (hasListener) return callInContext(observer.context, previous as AnyMethod, this, args);
    return Reflect.apply(previous, this, args);
  } finally {
    observer.afterEvent(this, event);
  }
}

/** The descriptor that all emitters share: there are two emitters for each request. */
const EMIT: PropertyDescriptor = { value: emit, configurable: true, writable: true, enumerable: false };
