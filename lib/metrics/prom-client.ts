/*
 * The part of prom-client's interface that the library uses. It is declared here, because applications without metrics have
 * neither the package nor its types.
 */
import { loadOptional } from '../packages/optional.js';

export type Labels = Record<string, string>;

/** A metric as a registry returns it as JSON. */
export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values?: readonly MetricValue[];
}

export interface MetricValue {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string | number>>;
  /** The name of the value, if it differs from that of the metric: buckets, sum and count of a histogram. */
  readonly metricName?: string;
  readonly exemplar?: Exemplar | null;
}

export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** In seconds since the epoch. */
  readonly timestamp?: number;
}

/** A metric as a registry stores it under its name. */
export interface Metric {
  /** prom-client removes the suffix `_total` from it when it renders OpenMetrics. */
  name: string;
  reset(): void;
}

export interface Registry {
  registerMetric(metric: object): void;
  getSingleMetric(name: string): object | undefined;
  removeSingleMetric(name: string): void;
  getMetricsAsJSON(): Promise<unknown>;
}

/** A registry that the library has created with prom-client. It has more than an application's registry must have. */
export interface OwnRegistry extends Registry {
  getMetricsAsArray(): readonly Metric[];
}

interface MetricConfiguration {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  readonly registers: readonly Registry[];
  readonly enableExemplars?: boolean;
  readonly collect?: () => void;
}

/** The argument of a histogram or counter with exemplars. */
interface Measurement {
  readonly labels: Labels;
  readonly value: number;
  readonly exemplarLabels?: Labels | undefined;
}

export interface PromClient {
  readonly Registry: (new (contentType?: string) => OwnRegistry) & { readonly OPENMETRICS_CONTENT_TYPE: string };
  readonly Histogram: new (configuration: MetricConfiguration & { readonly buckets: readonly number[] }) => Metric & {
    observe(measurement: Measurement): void;
    /** Writes the exemplar of a bucket. It is part of `observe()`, and not in the types of prom-client. */
    updateExemplar(labels: Labels, value: number, exemplarLabels: Labels): void;
  };
  readonly Counter: new (configuration: MetricConfiguration) => Metric & {
    inc(measurement: Measurement): void;
    inc(labels: Labels, value: number): void;
  };
  readonly Gauge: new (configuration: MetricConfiguration) => Metric & {
    set(labels: Labels, value: number): void;
  };
  collectDefaultMetrics(configuration: { readonly register: Registry }): void;
}

/** @throws TracingPackageError if it is not installed */
export function loadPromClient(): PromClient {
  return loadOptional<PromClient>('prom-client', 'metrics', 'prometheus');
}
