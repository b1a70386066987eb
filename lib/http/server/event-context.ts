import type { EventEmitter } from 'node:events';
import type { Context } from '@opentelemetry/api';
import { callIn } from '../../core/context-manager.js';
import type { AnyMethod } from '../../core/wrap-method.js';

// A field of the emitter. A WeakMap would do, but the garbage collector pays dearly for one with an entry for each request.
const OBSERVER = Symbol('nestjs-tracing observer');
/** The emitter's own `emit`, if it had one. */
const OWN_EMIT = Symbol('nestjs-tracing emit');

/** What the events of an emitter happen in. */
export interface EventObserver {
  /** The context in which listeners are called. */
  readonly context: Context;
  /** Called when all listeners of an event have been called. Must not throw. */
  emitted(emitter: object, event: unknown): void;
}

type Emit = (this: Observed, event: unknown, ...args: unknown[]) => unknown;

interface Observed {
  [OBSERVER]?: EventObserver;
  [OWN_EMIT]?: Emit;
  readonly emit: Emit;
  listenerCount(event: unknown): number;
}

/**
 * Has the listeners of an emitter called in the context of its observer: by itself Node calls those of a request and its
 * response in the context of the connection.
 *
 * The emitter gets an `emit` of its own in front of the one it has or inherits, and no listener, so that it has as many of them as
 * without tracing.
 */
export function observeEvents(emitter: EventEmitter, observer: EventObserver): void {
  const observed = emitter as unknown as Observed;
  if (Object.hasOwn(emitter, 'emit')) observed[OWN_EMIT] = observed.emit;
  observed[OBSERVER] = observer;
  Object.defineProperty(emitter, 'emit', EMIT);
}

export function eventObserverOf(emitter: object): EventObserver | undefined {
  return (emitter as Observed)[OBSERVER];
}

function emit(this: Observed, event: unknown, ...args: unknown[]): unknown {
  // The application may have derived an object from a request, by Object.create().
  let observed = this;
  while (!Object.hasOwn(observed, OBSERVER)) observed = Object.getPrototypeOf(observed) as Observed;
  const inherited = observed[OWN_EMIT] ?? (Object.getPrototypeOf(observed) as Observed).emit;
  const observer = observed[OBSERVER] as EventObserver;
  try {
    // Most events have no listener, and each change of the context has its cost.
    if (this.listenerCount(event) === 0) return inherited.call(this, event, ...args);
    return callIn(observer.context, inherited as AnyMethod, this, [event, ...args]);
  } finally {
    if (observed === this) observer.emitted(this, event);
  }
}

/** One for all emitters: there are two of them for each request. */
const EMIT: PropertyDescriptor = { value: emit, configurable: true, writable: true, enumerable: false };
