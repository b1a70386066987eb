import { context, type Context } from '@opentelemetry/api';
import { OperationContext } from './operation-context.js';
import type { Operation } from './operation.js';

/** What the application serves: an incoming request or call. Guards and handlers tell it how far it has come. */
export interface Entry {
  /** A guard has been reached. */
  guardReached(): void;
  /** The handler has been reached. Returns false where it has been before, or where nothing is recorded. */
  handlerReached(): boolean;
  /** The handler works in this operation, and what still arrives for it is handed over there. */
  handledIn?(operation: Operation): void;
  /** Records an exception; the status follows from the answer alone. */
  recordException(thrown: unknown): void;
  /** Takes it out of its trace: its span is never exported. */
  discard(): void;
}

/** The context in which `entry` is being served. */
export function withEntry(parent: Context, entry: Entry): Context {
  return OperationContext.ofEntry(parent, entry);
}

/** What is being served in the active context. */
export function activeEntry(): Entry | undefined {
  return OperationContext.entryIn(context.active()) as Entry | undefined;
}
