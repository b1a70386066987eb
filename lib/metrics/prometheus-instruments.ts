import { callSafely } from '../core/diagnostics.js';
import { isSampled } from '../core/sampled.js';
import type {
  Counter,
  Histogram,
  HistogramDescription,
  InstrumentDescription,
  Instruments,
  Reading,
  UpDownCounter,
} from '../core/instruments.js';
import { exemplarLabels } from './exemplar.js';
import { PendingExemplars } from './pending-exemplars.js';
import type { Labels, Metric, PromClient, Registry } from './prom-client.js';
import { prometheusName } from './prometheus-name.js';
import { RegisteredMetrics, type RegisteredMetric } from './registered-metrics.js';
import { safeMeasurement } from './safe-measurement.js';
import { Series } from './series.js';

/** Measures into a registry of prom-client, with exemplars. */
export class PrometheusInstruments implements Instruments {
  readonly isShared = false;
  readonly #registered: RegisteredMetrics;

  constructor(
    private readonly client: PromClient,
    registry: Registry,
    private readonly cardinalityLimit: number,
  ) {
    this.#registered = RegisteredMetrics.of(registry);
    this.#registered.forgetUnused();
  }

  /** Keeps the metrics in the registry from now on, even if the application clears it. */
  acquire(): void {
    this.#registered.acquire(this);
  }

  release(): void {
    this.#registered.release(this);
  }

  /** Registers the metrics again if the registry was cleared. */
  restore(): void {
    this.#registered.restore();
  }

  histogram(description: HistogramDescription): Histogram {
    return this.#getOrCreate('histogram', description, (configuration, series) => {
      const { Histogram } = this.client;
      const exemplars = new PendingExemplars(description.buckets, (...exemplar) => metric.updateExemplar(...exemplar));
      const metric = new Histogram({
        ...configuration,
        buckets: description.buckets,
        enableExemplars: true,
        collect: () => exemplars.flush(),
      });
      const record: Histogram['record'] = (value, attributes, span) => {
        const labels = series.labels(attributes);
        metric.observe({ labels, value });
        if (span && isSampled(span)) exemplars.add(labels, value, span);
      };
      return { metric, measure: record, toInstrument: (measure) => ({ record: measure }) };
    });
  }

  counter(description: InstrumentDescription): Counter {
    return this.#getOrCreate('counter', description, (configuration, series) => {
      const metric = new this.client.Counter({ ...configuration, enableExemplars: true });
      const add: Counter['add'] = (value, attributes, span) => {
        metric.inc({ labels: series.labels(attributes), value, exemplarLabels: exemplarLabels(span) });
      };
      return { metric, measure: add, toInstrument: (measure) => ({ add: measure }) };
    });
  }

  upDownCounter(description: InstrumentDescription): UpDownCounter {
    return this.#getOrCreate('gauge', description, (configuration, series) => {
      // The counts are kept here and not in the gauge: an application may reset the gauge while operations are in
      // progress, and their ends would take it below zero.
      const counts = new Map<Labels, number>();
      const collect = () => {
        for (const [labels, count] of counts) metric.set(labels, count);
      };
      const metric = new this.client.Gauge({ ...configuration, collect });
      const add: UpDownCounter['add'] = (value, attributes) => {
        const labels = series.labels(attributes);
        counts.set(labels, (counts.get(labels) ?? 0) + value);
      };
      return { metric, measure: add, toInstrument: (measure) => ({ add: measure }) };
    });
  }

  observeCounter(description: InstrumentDescription, read: () => readonly Reading[]): () => void {
    return this.#observe('counter', description, read, (configuration) => {
      const metric = new this.client.Counter(configuration);
      return { metric, set: (labels: Labels, value: number) => metric.inc(labels, value) };
    });
  }

  observeGauge(description: InstrumentDescription, read: () => readonly Reading[]): () => void {
    return this.#observe('gauge', description, read, (configuration) => {
      const metric = new this.client.Gauge(configuration);
      return { metric, set: (labels, value) => metric.set(labels, value) };
    });
  }

  /** Returns the instrument that this registry already has for the name, or else creates one. */
  #getOrCreate<Args extends readonly unknown[], T extends object>(
    type: 'counter' | 'gauge' | 'histogram',
    description: InstrumentDescription,
    create: (
      configuration: Configuration,
      series: Series,
    ) => {
      readonly metric: Metric;
      measure(this: void, ...args: Args): void;
      toInstrument(measure: (...args: Args) => void): T;
    },
  ): T {
    const name = prometheusName(description.name, description.unit, type);
    const existing = this.#registered.get(name);
    if (existing) return existing.owner as T;
    const series = new Series(name, description.attributes, this.cardinalityLimit);
    const { measure, metric, toInstrument } = create(configurationOf(name, description, series), series);
    const owner = toInstrument(
      safeMeasurement(description.name, (...args: Args) => {
        this.#registered.checkRegistered(registered);
        measure(...args);
      }),
    );
    const registered: RegisteredMetric = this.#registered.add(name, metric, owner);
    return owner;
  }

  #observe(
    type: 'counter' | 'gauge',
    description: InstrumentDescription,
    read: Read,
    create: CreateObserved,
  ): () => void {
    const name = prometheusName(description.name, description.unit, type);
    const registered = this.#registered.get(name) ?? this.#addObserved(name, description, create);
    const { readers } = registered.owner as Observed;
    readers.push(read);
    return () => {
      const index = readers.indexOf(read);
      if (index !== -1) readers.splice(index, 1);
      if (readers.length === 0) this.#registered.remove(registered);
    };
  }

  #addObserved(name: string, description: InstrumentDescription, create: CreateObserved): RegisteredMetric {
    const series = new Series(name, description.attributes, this.cardinalityLimit);
    const readers: Read[] = [];
    const collect = () => {
      metric.reset();
      // Applications that share a registry also share the tracer provider, so one reader knows everything.
      const read = readers.at(-1);
      if (!read) return;
      callSafely(`Reading ${description.name}`, () => {
        for (const { value, attributes } of read()) set(series.labels(attributes), value);
      });
    };
    const { metric, set } = create({ ...configurationOf(name, description, series), collect });
    const owner: Observed = { readers };
    return this.#registered.add(name, metric, owner);
  }
}

type CreateObserved = (configuration: Configuration & { collect(): void }) => {
  readonly metric: Metric;
  set(labels: Labels, value: number): void;
};

type Read = () => readonly Reading[];

/** The owner of an observed metric: the readers of its values, one for each application, the newest one last. */
interface Observed {
  readonly readers: Read[];
}

type Configuration = ReturnType<typeof configurationOf>;

function configurationOf(name: string, { description }: InstrumentDescription, { labelNames }: Series) {
  return { name, help: description, labelNames, registers: [] };
}
