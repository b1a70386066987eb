import type { Attributes, Context, Span } from '@opentelemetry/api';
import { callSafely } from './diagnostics.js';
import { Operation } from './operation.js';
import type { OperationMeasurement, OperationMeter } from './operation-meter.js';

/**
 * The protocol's part of one request, call, message or query: it reads the wire, and describes how the exchange ended.
 *
 * @typeParam Outcome the outcome of an exchange of this protocol: a status, a response, an error
 */
export interface Exchange<Outcome> {
  /** Sets attributes, name and status of the span at its end. Called once at most, and only if the span is recording. */
  describeEnd(operation: Operation, outcome: Outcome): void;
  /** Returns the attributes of the measurement of the ended exchange. Called once at most. */
  measuredAttributes(outcome: Outcome): Attributes;
}

/**
 * The operation of one exchange. It starts the span and the measurement, and ends both exactly once, whatever fails in between.
 *
 * A context references its operations, and lives as long as any timer, pooled socket or memoised promise that was created in it. An
 * operation that is over therefore holds no reference to its exchange.
 */
export abstract class ExchangeOperation<Outcome, E extends Exchange<Outcome> = Exchange<Outcome>> {
  /** Undefined once the exchange is over. */
  protected openExchange: E | undefined;
  protected operation: Operation;
  private measurement: OperationMeasurement | undefined;
  private isDiscarded = false;

  /**
   * @param exchange undefined if the exchange is ignored, so that its end is of no interest
   * @param meter undefined if the application measures nothing
   * @param startOperation starts the operation; it receives this object, to put it into the context
   */
  protected constructor(
    exchange: E | undefined,
    private readonly meter: OperationMeter | undefined,
    startOperation: (self: object) => Operation,
  ) {
    this.operation = startOperation(this);
    if (meter || this.operation.isRecording) this.openExchange = exchange;
  }

  /** The context in which the exchange takes place. */
  get context(): Context {
    return this.operation.context;
  }

  get span(): Span {
    return this.operation.span;
  }

  /** True if the span records and is not discarded. */
  get isRecording(): boolean {
    return !this.isDiscarded && this.operation.isRecording;
  }

  /** True once the exchange has ended, and from its start if it is neither recorded nor measured. */
  get isOver(): boolean {
    return this.openExchange === undefined;
  }

  /** Calls `fn` in the context of the exchange. */
  run<T>(fn: () => T): T {
    return this.operation.run(fn);
  }

  /** Starts to measure the exchange, if the application measures anything. */
  measure(attributes: () => Attributes): void {
    const { meter, openExchange } = this;
    if (meter && openExchange) this.measurement = callSafely('Measuring', () => meter.start(attributes()));
  }

  /** Sets attributes of the span before the end of the exchange, if the span records. */
  describe(what: string, attributes: () => Attributes | undefined): void {
    if (this.isRecording) this.operation.describe(what, attributes);
  }

  /** Discards the span: it is never exported, and nothing below it is traced from now on. The exchange is still measured. */
  discard(): void {
    if (this.isDiscarded) return;
    this.isDiscarded = true;
    this.operation.discard();
    this.operation = Operation.suppressed(this.operation.context);
  }

  /** Ends the exchange. Idempotent: the first outcome wins. */
  end(outcome: Outcome): void {
    const { isDiscarded, measurement, openExchange: exchange, operation } = this;
    if (!exchange) return;
    this.release();
    if (operation.isRecording)
      callSafely('Describing the end of a span', () => exchange.describeEnd(operation, outcome));
    operation.end();
    if (!measurement) return;
    const attributes = callSafely('Describing a measurement', () => exchange.measuredAttributes(outcome)) ?? {};
    callSafely('Measuring', () => measurement.end(attributes, isDiscarded ? undefined : operation.span));
  }

  /** Releases the exchange, which is over. */
  protected release(): void {
    this.openExchange = undefined;
    this.measurement = undefined;
  }
}
