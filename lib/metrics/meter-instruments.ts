import {
  createNoopMeter,
  metrics,
  ROOT_CONTEXT,
  trace,
  type Context,
  type Meter,
  type MeterProvider,
  type Observable,
  type ObservableResult,
  type Span,
} from '@opentelemetry/api';
import { callSafely } from '../core/diagnostics.js';
import type {
  Counter,
  Histogram,
  HistogramDescription,
  InstrumentDescription,
  Instruments,
  Reading,
  UpDownCounter,
} from '../core/instruments.js';
import { VERSION } from '../core/version.js';
import { safeMeasurement } from './safe-measurement.js';

/** Measures with OpenTelemetry's Meter API. The MeterProvider of the application exports the metrics. */
export class MeterInstruments implements Instruments {
  readonly isShared = true;
  private provider: MeterProvider | undefined;
  private meter!: Meter;
  private readonly instruments = new Map<string, object>();

  /** @param configuredProvider used instead of the provider that is registered globally */
  constructor(private readonly configuredProvider: MeterProvider | undefined) {}

  /** True if there is a MeterProvider. */
  get hasMeterProvider(): boolean {
    // Without a provider, the API returns its no-op meter, of which there is only one.
    return this.currentMeter() !== createNoopMeter();
  }

  histogram(description: HistogramDescription): Histogram {
    return this.getOrCreate(description, () => {
      const { buckets: explicitBucketBoundaries } = description;
      const currentHistogram = this.forCurrentMeter((meter) =>
        meter.createHistogram(description.name, {
          ...instrumentOptions(description),
          advice: { explicitBucketBoundaries: [...explicitBucketBoundaries] },
        }),
      );
      const record: Histogram['record'] = (value, attributes, span) => {
        currentHistogram().record(value, attributes, exemplarContext(span));
      };
      return { record: safeMeasurement(description.name, record) };
    });
  }

  counter(description: InstrumentDescription): Counter {
    return this.getOrCreate(description, () => {
      const currentCounter = this.forCurrentMeter((meter) =>
        meter.createCounter(description.name, instrumentOptions(description)),
      );
      const add: Counter['add'] = (value, attributes, span) => {
        currentCounter().add(value, attributes, exemplarContext(span));
      };
      return { add: safeMeasurement(description.name, add) };
    });
  }

  upDownCounter(description: InstrumentDescription): UpDownCounter {
    return this.getOrCreate(description, () => {
      const currentCounter = this.forCurrentMeter((meter) =>
        meter.createUpDownCounter(description.name, instrumentOptions(description)),
      );
      const add: UpDownCounter['add'] = (value, attributes) => {
        currentCounter().add(value, attributes, ROOT_CONTEXT);
      };
      return { add: safeMeasurement(description.name, add) };
    });
  }

  observeCounter(description: InstrumentDescription, read: () => readonly Reading[]): () => void {
    return addObservable(description, read, (...args) => this.currentMeter().createObservableCounter(...args));
  }

  observeGauge(description: InstrumentDescription, read: () => readonly Reading[]): () => void {
    return addObservable(description, read, (...args) => this.currentMeter().createObservableGauge(...args));
  }

  /** Returns the instrument of this name, or else creates it. */
  private getOrCreate<T extends object>({ name }: InstrumentDescription, create: () => T): T {
    const existing = this.instruments.get(name) as T | undefined;
    if (existing) return existing;
    const instrument = create();
    this.instruments.set(name, instrument);
    return instrument;
  }

  /**
   * Returns a function that returns the instrument of the current meter. The API does not pass its no-op instruments on to
   * a provider that is registered later, so the instrument is created again if the meter has changed.
   */
  private forCurrentMeter<T>(create: (meter: Meter) => T): () => T {
    let instrumentMeter: Meter | undefined;
    let instrument: T;
    return () => {
      const meter = this.currentMeter();
      if (meter !== instrumentMeter) {
        instrument = create(meter);
        instrumentMeter = meter;
      }
      return instrument;
    };
  }

  private currentMeter(): Meter {
    const provider = this.configuredProvider ?? metrics.getMeterProvider();
    if (provider !== this.provider) {
      this.provider = provider;
      this.meter = provider.getMeter('nestjs-tracing', VERSION);
    }
    return this.meter;
  }
}

function instrumentOptions({ description, unit }: InstrumentDescription): { description: string; unit: string } {
  return { description, unit };
}

/** The context from which the SDK takes the exemplar. */
function exemplarContext(span: Span | undefined): Context {
  return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
}

/**
 * Adds a metric whose values are read when they are exported. Returns the function that removes its callback again: the
 * meter provider outlives the application.
 */
function addObservable(
  description: InstrumentDescription,
  read: () => readonly Reading[],
  create: (name: string, options: ReturnType<typeof instrumentOptions>) => Observable,
): () => void {
  const { name } = description;
  const callback = (result: ObservableResult) => {
    callSafely(`Reading ${name}`, () => {
      for (const { value, attributes } of read()) result.observe(value, attributes);
    });
  };
  const what = `The metric ${name}`;
  const instrument = callSafely(what, () => create(name, instrumentOptions(description)));
  callSafely(what, () => instrument?.addCallback(callback));
  return () => {
    callSafely(what, () => instrument?.removeCallback(callback));
  };
}
