import type { EventEmitter } from 'node:events';
import type { Context } from '@opentelemetry/api';
import { callIn } from '../../core/context-manager.js';
import type { AnyMethod } from '../../core/wrap-method.js';

const EVENTS = Symbol('nestjs-tracing events');

/** What is told of the events of an emitter. */
export interface EventSurroundings {
  /** The context in which its listeners are called. */
  readonly context: Context;
  /** Called when all listeners of an event have been called. Must not throw. */
  emitted?(event: unknown): void;
  /** The emitter's own `emit`, if it had one. */
  readonly emit?: AnyMethod;
}

interface Surrounded {
  readonly [EVENTS]: EventSurroundings;
  readonly emit: AnyMethod;
}

/**
 * Has the listeners of an emitter called in a context: by itself Node calls those of a request and its response in the context
 * of the connection.
 *
 * The emitter gets an `emit` of its own in front of the one it has or inherits, and no listener, so that it has as many of them as
 * without tracing.
 */
export function surroundEvents(emitter: EventEmitter, surroundings: Omit<EventSurroundings, 'emit'>): void {
  const own = Object.getOwnPropertyDescriptor(emitter, 'emit')?.value as AnyMethod | undefined;
  Object.defineProperty(emitter, EVENTS, { value: own ? { ...surroundings, emit: own } : surroundings });
  Object.defineProperty(emitter, 'emit', EMIT);
}

function emit(this: Surrounded, ...args: unknown[]): unknown {
  const surroundings = this[EVENTS];
  const inherited = surroundings.emit ?? (Object.getPrototypeOf(this) as Surrounded).emit;
  try {
    return callIn(surroundings.context, inherited, this, args);
  } finally {
    surroundings.emitted?.(args[0]);
  }
}

/** One for all emitters: there are two of them for each request. */
const EMIT: PropertyDescriptor = { value: emit, configurable: true, writable: true, enumerable: false };
