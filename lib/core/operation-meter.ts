import type { Attributes, Span } from '@opentelemetry/api';
import { Stopwatch } from './duration.js';
import type {
  Counter,
  Histogram,
  HistogramDescription,
  InstrumentDescription,
  Instruments,
  UpDownCounter,
} from './instruments.js';

/** The metrics of one kind of operation, such as incoming HTTP requests or outgoing gRPC calls. */
export interface OperationMetrics {
  readonly duration: HistogramDescription;
  /** The number of active operations. Undefined if the conventions have no such metric. */
  readonly active?: InstrumentDescription;
  /** The number of operations. Undefined if the count of the histogram is the only one. */
  readonly count?: InstrumentDescription;
}

const meters = new WeakMap<Instruments, Map<OperationMetrics, OperationMeter>>();

/** Measures operations of one kind, sampled or not: how long each takes, and how many are active. */
export class OperationMeter {
  /** True if another instrumentation that has a span for an exchange records it in the same metrics. */
  readonly isShared: boolean;
  private readonly duration: Histogram;
  private readonly active: UpDownCounter | undefined;
  private readonly count: Counter | undefined;

  /** Returns the meter of these instruments for one kind of operation. The same arguments give the same meter. */
  static of(instruments: Instruments, metrics: OperationMetrics): OperationMeter {
    let created = meters.get(instruments);
    if (!created) meters.set(instruments, (created = new Map<OperationMetrics, OperationMeter>()));
    let meter = created.get(metrics);
    if (!meter) created.set(metrics, (meter = new OperationMeter(instruments, metrics)));
    return meter;
  }

  private constructor(
    readonly instruments: Instruments,
    { duration, active, count }: OperationMetrics,
  ) {
    this.isShared = instruments.isShared;
    this.duration = instruments.histogram(duration);
    this.active = active && instruments.upDownCounter(active);
    this.count = count && instruments.counter(count);
  }

  /** Counts an active operation, and starts to measure its duration. */
  start(attributes: Attributes): OperationMeasurement {
    this.active?.add(1, attributes);
    const stopwatch = new Stopwatch();
    return {
      end: (outcome, span) => {
        this.active?.add(-1, attributes);
        this.record(stopwatch, outcome, span);
      },
    };
  }

  /**
   * Records the duration of an operation that has ended. For kinds whose active operations are not counted.
   *
   * @param span the ended span, whose duration is recorded; undefined if the operation has none
   */
  record(stopwatch: Stopwatch, attributes: Attributes, span: Span | undefined): void {
    this.duration.record(stopwatch.seconds(span), attributes, span);
    this.count?.add(1, attributes, span);
  }
}

/** The measurement of one operation, which has to be ended once. */
export interface OperationMeasurement {
  /** @param span the ended span, for the exemplar; undefined if the operation is kept out of traces */
  end(attributes: Attributes, span: Span | undefined): void;
}
