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
import { TracingConfigurationError } from '../tracing.errors.js';
import { exemplarLabels } from './exemplar.js';
import type { PromClient, Registry } from './prom-client.js';
import { prometheusName } from './prometheus-name.js';
import { Series } from './series.js';

/** The instruments that are registered, by registry and name: applications that share a registry share them. */
const made = new WeakMap<Registry, Map<string, object>>();

/** Measures into a registry of prom-client, with exemplars. */
export class PrometheusInstruments implements Instruments {
  readonly shared = false;
  readonly #made: Map<string, object>;

  constructor(
    private readonly client: PromClient,
    private readonly registry: Registry,
    private readonly cardinalityLimit: number,
  ) {
    this.#made = made.get(registry) ?? new Map<string, object>();
    made.set(registry, this.#made);
  }

  histogram(description: HistogramDescription): Histogram {
    return this.#once('histogram', description, (configuration, series) => {
      const { Histogram } = this.client;
      const metric = new Histogram({ ...configuration, buckets: description.buckets, enableExemplars: true });
      const record: Histogram['record'] = (value, attributes, span) => {
        metric.observe({ labels: series.labels(attributes), value, exemplarLabels: exemplarLabels(span) });
      };
      return { metric, instrument: { record: quietly(description, record) } };
    });
  }

  counter(description: InstrumentDescription): Counter {
    return this.#once('counter', description, (configuration, series) => {
      const metric = new this.client.Counter({ ...configuration, enableExemplars: true });
      const add: Counter['add'] = (value, attributes, span) => {
        metric.inc({ labels: series.labels(attributes), value, exemplarLabels: exemplarLabels(span) });
      };
      return { metric, instrument: { add: quietly(description, add) } };
    });
  }

  upDownCounter(description: InstrumentDescription): UpDownCounter {
    return this.#once('gauge', description, (configuration, series) => {
      const metric = new this.client.Gauge(configuration);
      const add: UpDownCounter['add'] = (value, attributes) => metric.inc(series.labels(attributes), value);
      return { metric, instrument: { add: quietly(description, add) } };
    });
  }

  observeCounter(description: InstrumentDescription, read: () => readonly Reading[]): void {
    this.#observe('counter', description, read, (configuration) => {
      const metric = new this.client.Counter(configuration);
      return { metric, tell: (labels, value) => metric.inc(labels, value) };
    });
  }

  observeGauge(description: InstrumentDescription, read: () => readonly Reading[]): void {
    this.#observe('gauge', description, read, (configuration) => {
      const metric = new this.client.Gauge(configuration);
      return { metric, tell: (labels, value) => metric.set(labels, value) };
    });
  }

  #once<T extends object>(
    type: 'counter' | 'gauge' | 'histogram',
    description: InstrumentDescription,
    make: (configuration: Configuration, series: Series) => { readonly metric: object; readonly instrument: T },
  ): T {
    const name = prometheusName(description.name, description.unit, type);
    const known = this.#made.get(name);
    if (known) return known as T;
    const series = new Series(name, description.attributes, this.cardinalityLimit);
    const { metric, instrument } = make(configurationOf(name, description, series), series);
    this.#register(name, metric);
    this.#made.set(name, instrument);
    return instrument;
  }

  #observe(
    type: 'counter' | 'gauge',
    description: InstrumentDescription,
    read: () => readonly Reading[],
    make: (configuration: Configuration & { collect(): void }) => {
      readonly metric: { reset(): void };
      tell(labels: ReturnType<Series['labels']>, value: number): void;
    },
  ): void {
    const name = prometheusName(description.name, description.unit, type);
    const series = new Series(name, description.attributes, this.cardinalityLimit);
    const collect = () => {
      metric.reset();
      guarded(`Reading ${description.name}`, () => {
        for (const { value, attributes } of read()) tell(series.labels(attributes), value);
      });
    };
    const { metric, tell } = make({ ...configurationOf(name, description, series), collect });
    // The newest application is the one to ask.
    if (this.#made.has(name)) this.registry.removeSingleMetric(name);
    this.#register(name, metric);
    this.#made.set(name, metric);
  }

  // Not by prom-client's own way, which refuses exemplars in a registry that is set to the older text format. There they
  // are only left out.
  #register(name: string, metric: object): void {
    if (this.registry.getSingleMetric(name)) {
      const fix = 'Give a registry without it, or rename the other one.';
      throw new TracingConfigurationError('metrics.registry', `a registry with a metric ${name} already`, fix);
    }
    this.registry.registerMetric(metric);
  }
}

type Configuration = ReturnType<typeof configurationOf>;

function configurationOf(name: string, { description }: InstrumentDescription, { labelNames }: Series) {
  return { name, help: description, labelNames, registers: [] };
}

/** Whatever prom-client does not take is reported, not thrown. */
function quietly<Args extends readonly unknown[]>(
  { name }: InstrumentDescription,
  measure: (...args: Args) => void,
): (...args: Args) => void {
  return (...args) => {
    guarded(`The metric ${name}`, () => measure(...args));
  };
}
