import { context, SpanKind, type Attributes, type Context, type Span, type SpanContext } from '@opentelemetry/api';
import { callSafely } from './diagnostics.js';
import { ExchangeOperation, type Exchange } from './exchange-operation.js';
import type { Instruments } from './instruments.js';
import { OperationContext } from './operation-context.js';
import { Operation, type OperationOptions } from './operation.js';
import type { OperationMeter } from './operation-meter.js';
import type { SpanPlacement } from './span-placement.js';

/** A request, call, message or job that this application serves. */
export interface IncomingExchange<Outcome> extends Exchange<Outcome> {
  /** True if several handlers may serve the exchange, so that each has a span. @default only the first has one */
  readonly hasSeveralHandlers?: boolean;
  /** True if an operation of GraphQL that the exchange asks for describes its span. @default false */
  readonly isDescribedByOperation?: boolean;
  /** Called just before the first handler of the exchange. */
  onHandlerReached?(): void;
  /** Called with each exception of a guard, pipe, interceptor or handler, before a filter turns it into an answer. */
  onException?(thrown: unknown): void;
  /** Returns false if an exception is no failure of the application, such as that no route was found. @default true */
  isExceptionRecorded?(thrown: unknown): boolean;
}

export interface IncomingOptions {
  /** @default SpanKind.SERVER */
  readonly kind?: SpanKind;
  readonly placement: SpanPlacement;
  /** Attributes that the span has from its start, so that a sampler sees them. */
  readonly attributes?: Attributes | undefined;
  /** The name of the function that serves the exchange. If it is decorated, it joins the span, instead of starting a second one. */
  readonly forFunction?: string | undefined;
  /** Undefined if the application measures nothing. */
  readonly meter: OperationMeter | undefined;
}

/**
 * An exchange that the application serves, from its arrival to its end: an HTTP request, a gRPC call, a message, a job. Its span is
 * the child of the caller's span. Handlers, guards and pipes run in its context, and find it there.
 */
export class IncomingOperation<Outcome = unknown> extends ExchangeOperation<Outcome, IncomingExchange<Outcome>> {
  /** The instruments of the application that serves the exchange; undefined if that application measures nothing. */
  readonly instruments: Instruments | undefined;
  /** True if the response may repeat details that were withheld from spans: the message of an exception of a `record: false` method. */
  areDetailsWithheld = false;
  /** True if the exchange is an operation that calls any number of handlers, the resolvers of GraphQL, and not one. */
  callsResolvers = false;
  /** True if a handler of the exchange has been called, other than a resolver of GraphQL. */
  isHandlerReached = false;
  /** The operation of the handler, until the exchange is over. */
  private handlerOperation: Operation | undefined;
  private endListeners: (() => void)[] | undefined;

  /** Returns the operation that is served in the active context. Undefined if there is none. */
  static active(): IncomingOperation | undefined {
    return IncomingOperation.in(context.active());
  }

  /** Returns the operation that is served in a context. Undefined if there is none. */
  static in(serving: Context): IncomingOperation | undefined {
    return OperationContext.incomingIn(serving) as IncomingOperation | undefined;
  }

  /** Starts the span of an exchange. Everything that is traced while the exchange is served is below it. */
  static start<Outcome>(
    name: string,
    exchange: IncomingExchange<Outcome>,
    { attributes, forFunction, kind = SpanKind.SERVER, meter, placement }: IncomingOptions,
  ): IncomingOperation<Outcome> {
    const { caller, links, parent } = placement;
    const options: OperationOptions = {
      kind,
      parent,
      ...(links && { links }),
      ...(attributes && { attributes }),
      ...(forFunction !== undefined && { forFunction }),
    };
    return new IncomingOperation(exchange, meter, caller, false, (incoming) =>
      Operation.start(name, options, incoming),
    );
  }

  /** Follows an exchange in the span that another instrumentation has started for it in the active context. */
  static join<Outcome>(
    span: Span,
    exchange: IncomingExchange<Outcome>,
    { caller, meter }: { caller: SpanContext | undefined; meter: OperationMeter | undefined },
  ): IncomingOperation<Outcome> {
    return new IncomingOperation(exchange, meter, caller, true, (incoming) =>
      Operation.join(span, OperationContext.ofIncoming(context.active(), incoming)),
    );
  }

  /** Returns the operation of an exchange that is only measured. Nothing below it is traced. */
  static measureOnly<Outcome>(
    exchange: IncomingExchange<Outcome>,
    meter: OperationMeter | undefined,
    outer: Context,
  ): IncomingOperation<Outcome> {
    return new IncomingOperation(exchange, meter, undefined, false, (incoming) =>
      Operation.suppressed(OperationContext.ofIncoming(outer, incoming)),
    );
  }

  /** Returns the operation of an exchange that is neither traced nor measured. Nothing below it is traced. */
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

  /**
   * Calls `fn` in the context of the handler while the handler's span records, else in that of the exchange. A handler may have returned,
   * and still listen to a stream of requests.
   */
  runInHandler(fn: () => void): void {
    const { handlerOperation } = this;
    if (handlerOperation?.isRecording) handlerOperation.run(fn);
    else this.run(fn);
  }

  /**
   * Reports that a handler is about to be called. Returns true if it gets a span: the exchange is recorded, and no other handler of it has
   * been called before, unless it may have several.
   */
  reachHandler(): boolean {
    const { isHandlerReached, openExchange } = this;
    if (!openExchange || (isHandlerReached && !openExchange.hasSeveralHandlers)) return false;
    this.isHandlerReached = true;
    if (!this.isRecording) return false;
    if (!isHandlerReached) openExchange.onHandlerReached?.();
    return true;
  }

  /** Sets the operation of the handler. */
  enterHandler(operation: Operation): void {
    if (!this.isOver) this.handlerOperation = operation;
  }

  /** Records an exception as an event. The status of the span stays as it is: the outcome of the exchange decides it. */
  recordException(thrown: unknown): void {
    const { openExchange } = this;
    openExchange?.onException?.(thrown);
    if (!openExchange || openExchange.isExceptionRecorded?.(thrown) === false) return;
    const active = Operation.in(context.active());
    (active?.coversFilters ? active : this.operation).recordException(thrown);
  }

  /** Reports the exception with which a guard has rejected the exchange. It may be the outcome, but it is no failure to record. */
  reportRejection(thrown: unknown): void {
    this.openExchange?.onException?.(thrown);
    this.rememberException(thrown);
  }

  /** Treats an exception as recorded, because the framework has replaced a recorded exception by it. */
  rememberException(thrown: unknown): void {
    this.operation.rememberException(thrown);
  }

  /** Reports that details of an exception were withheld: the response, whose message the span records as well, may repeat them. */
  withholdDetails(): void {
    this.areDetailsWithheld = true;
  }

  /** The errors whose messages nothing may repeat that is recorded of the exchange. */
  get withheldErrors(): readonly unknown[] | undefined {
    return this.operation.withheldErrors;
  }

  /** Reports an error whose message neither the response nor an exception of the exchange may repeat. */
  withholdMessageOf(error: unknown): void {
    this.withholdDetails();
    this.operation.withholdMessageOf(error);
  }

  /** Calls a listener when the exchange is over, just before its span ends. At once if it is over already. */
  onOver(listener: () => void): void {
    if (this.isOver) listener();
    else (this.endListeners ??= []).push(listener);
  }

  protected override release(): void {
    super.release();
    this.handlerOperation = undefined;
    const listeners = this.endListeners;
    this.endListeners = undefined;
    for (const listener of listeners ?? []) callSafely('The end of an exchange', listener);
  }
}
