import { context, SpanKind, type Attributes, type Context, type Span, type SpanContext } from '@opentelemetry/api';
import { ExchangeOperation, type Exchange } from './exchange-operation.js';
import type { Instruments } from './instruments.js';
import { OperationContext } from './operation-context.js';
import { Operation } from './operation.js';
import type { OperationMeter } from './operation-meter.js';
import type { SpanPlacement } from './span-placement.js';

/** A request, call, message or job that this application serves. */
export interface IncomingExchange<Outcome> extends Exchange<Outcome> {
  /** Called when the handler has been reached. */
  handlerReached?(): void;
  /** Returns false if an exception says nothing of the application, such as that no route was found. @default true */
  isExceptionRecorded?(thrown: unknown): boolean;
}

export interface IncomingOptions {
  /** @default SpanKind.SERVER */
  readonly kind?: SpanKind;
  readonly placement: SpanPlacement;
  /** Attributes that the span has from its start, so that a sampler sees them. */
  readonly attributes?: Attributes | undefined;
  /** Undefined if the application measures nothing. */
  readonly meter: OperationMeter | undefined;
}

/**
 * Something that the application serves, from its arrival to its end: an HTTP request, a gRPC call, a message, a job. Its span is
 * below the span of the caller, and handlers, guards and pipes run in its context, from which it can be reached.
 */
export class IncomingOperation<Outcome = unknown> extends ExchangeOperation<Outcome, IncomingExchange<Outcome>> {
  /** The instruments of the application that serves the exchange; undefined if that application measures nothing. */
  readonly instruments: Instruments | undefined;
  /** True if the answer may repeat details that were withheld from spans: the message of an exception of `record: false`. */
  areDetailsWithheld = false;
  private isHandlerReached = false;
  /** The operation of the handler, until the exchange is over. */
  private handlerOperation: Operation | undefined;

  /** The operation that is served in the active context. */
  static active(): IncomingOperation | undefined {
    return IncomingOperation.in(context.active());
  }

  /** The operation that is served in a context. */
  static in(serving: Context): IncomingOperation | undefined {
    return OperationContext.incomingIn(serving) as IncomingOperation | undefined;
  }

  /** Starts the span of an exchange, and with it all that is traced while the exchange is served. */
  static start<Outcome>(
    name: string,
    exchange: IncomingExchange<Outcome>,
    { attributes, kind = SpanKind.SERVER, meter, placement }: IncomingOptions,
  ): IncomingOperation<Outcome> {
    const { caller, links, parent } = placement;
    return new IncomingOperation(exchange, meter, caller, false, (incoming) =>
      Operation.start(name, {
        kind,
        parent: OperationContext.ofIncoming(parent, incoming),
        ...(links && { links }),
        ...(attributes && { attributes }),
      }),
    );
  }

  /** Serves an exchange in the span that another instrumentation has started for it, in the active context. */
  static join<Outcome>(
    span: Span,
    exchange: IncomingExchange<Outcome>,
    { caller, meter }: { caller: SpanContext | undefined; meter: OperationMeter | undefined },
  ): IncomingOperation<Outcome> {
    return new IncomingOperation(exchange, meter, caller, true, (incoming) =>
      Operation.join(span, OperationContext.ofIncoming(context.active(), incoming)),
    );
  }

  /** Serves an exchange that is neither traced nor measured. Nothing beneath it is traced. */
  static ignore(outer: Context, meter: OperationMeter | undefined): IncomingOperation<never> {
    return new IncomingOperation<never>(undefined, meter, undefined, false, (incoming) =>
      Operation.suppressed(OperationContext.ofIncoming(outer, incoming)),
    );
  }

  private constructor(
    exchange: IncomingExchange<Outcome> | undefined,
    meter: OperationMeter | undefined,
    /** The remote span context that came in, trusted or not. */
    readonly caller: SpanContext | undefined,
    /** True if the span belongs to another instrumentation, which describes and ends it. */
    readonly isJoined: boolean,
    startOperation: (incoming: object) => Operation,
  ) {
    super(exchange, meter, startOperation);
    this.instruments = meter?.instruments;
  }

  /** The exchange in the terms of its protocol; undefined once it is over. */
  get exchange(): IncomingExchange<Outcome> | undefined {
    return this.openExchange;
  }

  /** Calls `fn` in the context of the handler while that has a span: a handler may return and go on listening. */
  runInHandler(fn: () => void): void {
    const { handlerOperation } = this;
    if (handlerOperation?.recording) handlerOperation.run(fn);
    else this.run(fn);
  }

  /**
   * Returns true if the handler that is about to be called gets a span: the exchange is recorded, and no handler of it has been
   * called before.
   */
  reachHandler(): boolean {
    const { openExchange } = this;
    if (this.isHandlerReached || !openExchange) return false;
    this.isHandlerReached = true;
    if (!this.isRecording) return false;
    openExchange.handlerReached?.();
    return true;
  }

  /** Tells the operation in which the handler works. */
  enterHandler(operation: Operation): void {
    if (!this.isOver) this.handlerOperation = operation;
  }

  /** Records an exception as an event. It does not fail the span: only the outcome does. */
  recordException(thrown: unknown): void {
    const { openExchange } = this;
    if (openExchange && openExchange.isExceptionRecorded?.(thrown) !== false) this.operation.recordException(thrown);
  }

  /** Treats an exception as recorded, because it stands for one that was. */
  rememberException(thrown: unknown): void {
    this.operation.rememberException(thrown);
  }

  /** Keeps the details of what was thrown out of the span: its message may be repeated by the answer. */
  withholdDetails(): void {
    this.areDetailsWithheld = true;
  }

  protected override release(): void {
    super.release();
    this.handlerOperation = undefined;
  }
}
