import type { Attributes, Span } from '@opentelemetry/api';
import { Stopwatch } from './duration.js';
import { currentInstruments } from './measured-applications.js';
import type {
  Histogram,
  HistogramDescription,
  InstrumentDescription,
  Instruments,
  UpDownCounter,
} from './instruments.js';

/** What is measured of one kind of request or call. */
export interface RequestMetrics {
  readonly duration: HistogramDescription;
  readonly active: InstrumentDescription;
}

const meters = new WeakMap<Instruments, Map<RequestMetrics, RequestMeter>>();

/** Measures requests or calls of one kind, sampled or not: how long each takes, and how many are under way. */
export class RequestMeter {
  /** Whether another instrumentation that has a span for a request measures it as well. */
  readonly shared: boolean;
  private readonly duration: Histogram;
  private readonly active: UpDownCounter;

  /** The one of these instruments for this kind. */
  static of(instruments: Instruments, metrics: RequestMetrics): RequestMeter {
    let known = meters.get(instruments);
    if (!known) meters.set(instruments, (known = new Map<RequestMetrics, RequestMeter>()));
    let meter = known.get(metrics);
    if (!meter) known.set(metrics, (meter = new RequestMeter(instruments, metrics)));
    return meter;
  }

  /** For what belongs to no application. */
  static current(metrics: RequestMetrics): RequestMeter | undefined {
    const instruments = currentInstruments();
    return instruments && RequestMeter.of(instruments, metrics);
  }

  private constructor(
    readonly instruments: Instruments,
    { duration, active }: RequestMetrics,
  ) {
    this.shared = instruments.shared;
    this.duration = instruments.histogram(duration);
    this.active = instruments.upDownCounter(active);
  }

  /** One more is under way. */
  begin(attributes: Attributes): RequestMeasurement {
    this.active.add(1, attributes);
    const stopwatch = new Stopwatch();
    return {
      end: (outcome, span) => {
        this.active.add(-1, attributes);
        this.duration.record(stopwatch.seconds(span), outcome, span);
      },
    };
  }
}

/** The measurement of one request or call, which has to be ended once. */
export interface RequestMeasurement {
  /** @param span its span, after it has ended; none where the request is kept out of traces */
  end(attributes: Attributes, span: Span | undefined): void;
}
