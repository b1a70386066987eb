import type { SpanContext } from '@opentelemetry/api';
import type { Entry } from '../core/entry.js';
import type { Instruments } from '../core/instruments.js';
import { Operation } from '../core/operation.js';

/**
 * An incoming call as its guards and its handler know it.
 *
 * The context of the call leads here. A timer, a pooled socket or a memoised promise that was made in that context keeps it
 * for good, so an entry holds nothing of the wire: no call, no metadata, no message.
 */
export class CallEntry implements Entry {
  caller: SpanContext | undefined;
  /** Whether the call was taken out of its trace. It is measured all the same. */
  isDiscarded = false;
  /** Whether the status may repeat what was withheld elsewhere: the message of an exception out of `record: false`. */
  hasWithheldDetails = false;
  private isHandled = false;
  private operation: Operation | undefined;
  /** The operation of the handler, while the call is open. */
  private handling: Operation | undefined;

  constructor(readonly instruments: Instruments | undefined) {}

  /** Sets the operation in which the call is served. */
  serveIn(operation: Operation): void {
    this.operation = operation;
  }

  /** Calls `fn` in the handler's span, or in that of the call: a handler may return and go on listening to the call. */
  run(fn: () => void): void {
    const { handling, operation } = this;
    if (handling && handling.recording) handling.run(fn);
    else if (operation) operation.run(fn);
    else fn();
  }

  handlerReached(): boolean {
    const isFirst = !this.isHandled;
    this.isHandled = true;
    return isFirst && (this.operation?.recording ?? false);
  }

  handledIn(operation: Operation): void {
    this.handling = operation;
  }

  recordException(thrown: unknown): void {
    this.operation?.recordException(thrown);
  }

  detailsWithheld(): void {
    this.hasWithheldDetails = true;
  }

  discard(): void {
    this.isDiscarded = true;
    const { operation } = this;
    if (!operation) return;
    operation.discard();
    this.operation = Operation.suppressed(operation.context);
  }

  /** The call is over: its handler's operation is not needed any more. */
  release(): void {
    this.handling = undefined;
  }
}
