import { context, type Context, type SpanContext } from '@opentelemetry/api';
import type { Instruments } from './instruments.js';
import { OperationContext } from './operation-context.js';
import type { Operation } from './operation.js';

/**
 * What the application serves: an incoming request or call. Guards and handlers tell it how far it has come.
 *
 * The context leads to it for as long as anything lives that was made while it was served, so an entry that is over holds
 * nothing, and does nothing when it is told more.
 */
export interface Entry {
  /** The span context that came in with it, trusted or not. */
  readonly caller: SpanContext | undefined;
  /** The instruments of the application that serves it; undefined where that application measures nothing. */
  readonly instruments: Instruments | undefined;
  /** The handler has been reached. Returns false where it has been before, or where nothing is recorded. */
  handlerReached(): boolean;
  /** The handler works in this operation, and what still arrives for it is handed over there. */
  handledIn?(operation: Operation): void;
  /** Records an exception; the status follows from the answer alone. */
  recordException(thrown: unknown): void;
  /** Something failed whose details are not to be recorded, and the answer may repeat them. */
  detailsWithheld?(): void;
  /** Takes it out of its trace: its span is never exported. */
  discard(): void;
}

/** The context in which `entry` is being served. */
export function withEntry(parent: Context, entry: Entry): Context {
  return OperationContext.ofEntry(parent, entry);
}

/** What is being served in the active context. */
export function activeEntry(): Entry | undefined {
  return entryIn(context.active());
}

/** The entry that is served in this context. */
export function entryIn(serving: Context): Entry | undefined {
  return OperationContext.entryIn(serving) as Entry | undefined;
}
