import type { Attributes, Context, Span } from '@opentelemetry/api';
import { guarded } from './diagnostics.js';
import { Operation } from './operation.js';
import type { OperationMeasurement, OperationMeter } from './operation-meter.js';

/**
 * One request, call, message or query in the terms of its protocol, which reads the wire and describes how it ended.
 *
 * @typeParam Outcome how an exchange of this protocol ends: a status, a response, an error
 */
export interface Exchange<Outcome> {
  /** Sets attributes, name and status of the span at its end. Called once at most, and only if the span is recording. */
  describeEnd(operation: Operation, outcome: Outcome): void;
  /** Returns the attributes by which the ended exchange is measured. Called once at most. */
  measuredAttributes(outcome: Outcome): Attributes;
}

/**
 * The life of an exchange under observation: its span and its measurement start, and both end once, whatever fails on the way.
 *
 * A context leads to its operations, and lives for as long as a timer, a pooled socket or a memoised promise that was made in
 * it. An operation that is over therefore holds nothing of its exchange.
 */
export abstract class ExchangeOperation<Outcome, E extends Exchange<Outcome> = Exchange<Outcome>> {
  /** Undefined once the exchange is over. */
  protected openExchange: E | undefined;
  protected operation: Operation;
  private measurement: OperationMeasurement | undefined;
  private isDiscarded = false;

  /**
   * @param exchange undefined if the exchange is ignored: its end then does not matter
   * @param meter undefined if the application measures nothing
   * @param startOperation receives this object, for the context of the operation
   */
  protected constructor(
    exchange: E | undefined,
    private readonly meter: OperationMeter | undefined,
    startOperation: (self: object) => Operation,
  ) {
    this.operation = startOperation(this);
    if (meter || this.operation.recording) this.openExchange = exchange;
  }

  /** The context in which the exchange takes place. */
  get context(): Context {
    return this.operation.context;
  }

  get span(): Span {
    return this.operation.span;
  }

  /** True if the span keeps what it is given, and will be exported. */
  get isRecording(): boolean {
    return !this.isDiscarded && this.operation.recording;
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
    if (meter && openExchange) this.measurement = guarded('Measuring', () => meter.start(attributes()));
  }

  /** Sets attributes of the span while the exchange goes on, if they are kept. */
  describe(what: string, attributes: () => Attributes | undefined): void {
    if (this.isRecording) this.operation.describe(what, attributes);
  }

  /** Takes the exchange out of its trace: its span is never exported, and nothing beneath is traced. It is measured all the same. */
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
    if (operation.recording) guarded('Describing the end of a span', () => exchange.describeEnd(operation, outcome));
    operation.end();
    if (!measurement) return;
    const attributes = guarded('Describing a measurement', () => exchange.measuredAttributes(outcome)) ?? {};
    guarded('Measuring', () => measurement.end(attributes, isDiscarded ? undefined : operation.span));
  }

  /** Lets go of the exchange, which is over. */
  protected release(): void {
    this.openExchange = undefined;
    this.measurement = undefined;
  }
}
