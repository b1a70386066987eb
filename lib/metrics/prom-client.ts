/*
 * What tracing uses of prom-client. Declared here, because applications without metrics do not have the package and its
 * types.
 */
import { loadOptional } from '../packages/optional.js';

export type Labels = Record<string, string>;

/** A metric as a registry tells it. */
export interface MetricData {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly values?: readonly MetricValue[];
}

export interface MetricValue {
  readonly value: number;
  readonly labels?: Readonly<Record<string, string | number>>;
  /** Where it is not the metric's own: that of a histogram's buckets, sum and count. */
  readonly metricName?: string;
  readonly exemplar?: Exemplar | null;
}

export interface Exemplar {
  readonly labelSet: Readonly<Record<string, string | number>>;
  readonly value: number;
  /** In seconds since the epoch. */
  readonly timestamp?: number;
}

/** What a registry keeps under a name. */
export interface Metric {
  /** prom-client takes the suffix `_total` away from it where it writes OpenMetrics. */
  name: string;
  reset(): void;
}

export interface Registry {
  registerMetric(metric: object): void;
  getSingleMetric(name: string): object | undefined;
  removeSingleMetric(name: string): void;
  getMetricsAsJSON(): Promise<unknown>;
}

/** A registry that prom-client has made, of which more is known than of one that is given. */
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

/** A histogram or counter with exemplars takes one object. */
interface Measured {
  readonly labels: Labels;
  readonly value: number;
  readonly exemplarLabels: Labels | undefined;
}

export interface PromClient {
  readonly Registry: (new (contentType?: string) => OwnRegistry) & { readonly OPENMETRICS_CONTENT_TYPE: string };
  readonly Histogram: new (configuration: MetricConfiguration & { readonly buckets: readonly number[] }) => Metric & {
    observe(measured: Measured): void;
  };
  readonly Counter: new (configuration: MetricConfiguration) => Metric & {
    inc(measured: Measured): void;
    inc(labels: Labels, value: number): void;
  };
  readonly Gauge: new (configuration: MetricConfiguration) => Metric & {
    set(labels: Labels, value: number): void;
  };
  collectDefaultMetrics(configuration: { readonly register: Registry }): void;
}

/** @throws TracingPackageError where it is not installed */
export function loadPromClient(): PromClient {
  return loadOptional<PromClient>('prom-client', 'metrics', 'prometheus');
}
