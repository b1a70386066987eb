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
import { guarded } from '../core/diagnostics.js';
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

/** Measures by OpenTelemetry's Meter API, so that whoever has set a MeterProvider up exports it. */
export class MeterInstruments implements Instruments {
  readonly shared = true;
  private provider: MeterProvider | undefined;
  private meter!: Meter;
  private readonly made = new Map<string, object>();

  /** @param given used instead of the one that is registered globally */
  constructor(private readonly given: MeterProvider | undefined) {}

  /** Whether there is anybody to measure for. */
  get heard(): boolean {
    // The API's own meter, of which there is one, measures nothing.
    return this.currentMeter() !== createNoopMeter();
  }

  histogram(description: HistogramDescription): Histogram {
    return this.once(description, () => {
      const { buckets: explicitBucketBoundaries } = description;
      const current = this.lazily((meter) =>
        meter.createHistogram(description.name, {
          ...optionsOf(description),
          advice: { explicitBucketBoundaries: [...explicitBucketBoundaries] },
        }),
      );
      return {
        record: (value, attributes, span) => {
          guarded(`The metric ${description.name}`, () => current().record(value, attributes, contextOf(span)));
        },
      };
    });
  }

  counter(description: InstrumentDescription): Counter {
    return this.once(description, () => {
      const current = this.lazily((meter) => meter.createCounter(description.name, optionsOf(description)));
      return {
        add: (value, attributes, span) => {
          guarded(`The metric ${description.name}`, () => current().add(value, attributes, contextOf(span)));
        },
      };
    });
  }

  upDownCounter(description: InstrumentDescription): UpDownCounter {
    return this.once(description, () => {
      const current = this.lazily((meter) => meter.createUpDownCounter(description.name, optionsOf(description)));
      return {
        add: (value, attributes) => {
          guarded(`The metric ${description.name}`, () => current().add(value, attributes, ROOT_CONTEXT));
        },
      };
    });
  }

  observeCounter(description: InstrumentDescription, read: () => readonly Reading[]): () => void {
    return observe(description, read, (...args) => this.currentMeter().createObservableCounter(...args));
  }

  observeGauge(description: InstrumentDescription, read: () => readonly Reading[]): () => void {
    return observe(description, read, (...args) => this.currentMeter().createObservableGauge(...args));
  }

  private once<T extends object>({ name }: InstrumentDescription, make: () => T): T {
    const known = this.made.get(name) as T | undefined;
    if (known) return known;
    const instrument = make();
    this.made.set(name, instrument);
    return instrument;
  }

  // The API has no stand-in for a meter that comes later: what was made before a provider is registered stays silent.
  private lazily<T>(create: (meter: Meter) => T): () => T {
    let from: Meter | undefined;
    let made: T;
    return () => {
      const meter = this.currentMeter();
      if (meter !== from) {
        made = create(meter);
        from = meter;
      }
      return made;
    };
  }

  private currentMeter(): Meter {
    const provider = this.given ?? metrics.getMeterProvider();
    if (provider !== this.provider) {
      this.provider = provider;
      this.meter = provider.getMeter('nestjs-tracing', VERSION);
    }
    return this.meter;
  }
}

function optionsOf({ description, unit }: InstrumentDescription): { description: string; unit: string } {
  return { description, unit };
}

/** What the SDK takes exemplars from. */
function contextOf(span: Span | undefined): Context {
  return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
}

/** The meter provider outlives the application, so the callback has to be removed with it. */
function observe(
  description: InstrumentDescription,
  read: () => readonly Reading[],
  create: (name: string, options: ReturnType<typeof optionsOf>) => Observable,
): () => void {
  const { name } = description;
  const callback = (result: ObservableResult) => {
    guarded(`Reading ${name}`, () => {
      for (const { value, attributes } of read()) result.observe(value, attributes);
    });
  };
  const what = `The metric ${name}`;
  const instrument = guarded(what, () => create(name, optionsOf(description)));
  guarded(what, () => instrument?.addCallback(callback));
  return () => {
    guarded(what, () => instrument?.removeCallback(callback));
  };
}
