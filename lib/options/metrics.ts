import type { CanActivate, Type } from '@nestjs/common';
import type { MeterProvider } from '@opentelemetry/api';
import { TracingConfigurationError } from '../tracing.errors.js';
import { knownKeys } from './known-keys.js';
import { flag, integer, oneOf, text } from './parse.js';
import { option, type Setting } from './setting.js';

/** How requests and calls are measured. */
export type MetricsOptions = PrometheusMetricsOptions | MeterMetricsOptions;

/** Metrics for a Prometheus to scrape, by the package `prom-client`. */
export type PrometheusMetricsOptions = ApplicationMetricsOptions | PortMetricsOptions | UnservedMetricsOptions;

/** A registry of prom-client. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void;
  getSingleMetric(name: string): object | undefined;
  removeSingleMetric(name: string): void;
  getMetricsAsJSON(): Promise<unknown>;
}

/** What all ways of serving metrics have in common. */
export interface PrometheusRegistryOptions {
  /** @default 'prometheus' */
  type?: 'prometheus';
  /**
   * The registry of prom-client that the metrics are added to, so that they are served together with what is there already.
   * @default a registry of its own
   */
  registry?: PrometheusRegistry;
  /**
   * Whether prom-client's metrics of the process and of Node are added, unless the registry has them.
   * @default true
   */
  defaultMetrics?: boolean;
  /**
   * Series that one metric may have. What would begin further ones is counted in one series, with the label
   * `otel_metric_overflow="true"`, and the log says so once.
   * @default 2000
   */
  cardinalityLimit?: number;
}

/** Metrics on a path of the application: outside its global prefix, neither traced nor counted. Global guards apply. */
export interface ApplicationMetricsOptions extends PrometheusRegistryOptions {
  /** @default '/metrics' */
  path?: string;
  /** Guards of this path, beside the global ones: classes, as DI has them or makes them, or objects. @default [] */
  guards?: readonly (CanActivate | Type<CanActivate>)[];
  port?: undefined;
  host?: undefined;
}

/** Metrics on a port of their own: for applications without HTTP, and where the outside must not reach them. */
export interface PortMetricsOptions extends PrometheusRegistryOptions {
  /** Such as 9464, which OpenTelemetry's exporters use. */
  port: number;
  /** The address to listen on. @default all addresses */
  host?: string;
  /** @default '/metrics' */
  path?: string;
  guards?: undefined;
}

/** Metrics in a registry that the application serves or pushes itself. */
export interface UnservedMetricsOptions extends PrometheusRegistryOptions {
  path: false;
  guards?: undefined;
  port?: undefined;
  host?: undefined;
}

/** Metrics by OpenTelemetry's Meter API: whoever has set a `MeterProvider` up pushes them, by OTLP for instance. */
export interface MeterMetricsOptions {
  type: 'opentelemetry';
  /** @default the one that is registered globally */
  meterProvider?: MeterProvider;
}

export type ResolvedMetrics =
  ResolvedPrometheusMetrics | { readonly type: 'opentelemetry'; readonly meterProvider: MeterProvider | undefined };

export interface ResolvedPrometheusMetrics {
  readonly type: 'prometheus';
  /** Undefined where the application reads the registry itself. */
  readonly place: ResolvedMetricsPlace | undefined;
  /** Undefined for one of its own. */
  readonly registry: PrometheusRegistry | undefined;
  /** Whether those of the process and of Node are among the metrics. */
  readonly defaultMetrics: boolean;
  /** Series of one metric. */
  readonly cardinalityLimit: number;
}

/** Where metrics can be read: at a path of the application, or of a port of its own. */
export type ResolvedMetricsPlace =
  | {
      readonly path: string;
      readonly guards: readonly (CanActivate | Type<CanActivate>)[];
      readonly port?: undefined;
    }
  | { readonly path: string; readonly port: number; readonly host: string | undefined };

type MetricsType = NonNullable<MetricsOptions['type']>;

const RESOLVERS: Readonly<Record<MetricsType, (given: MetricsOptions) => ResolvedMetrics>> = {
  prometheus: resolvePrometheus,
  opentelemetry: resolveMeter,
};

/** Settles what is measured and where it can be read; undefined where nothing is. */
export function resolveMetrics(given: MetricsOptions | false | undefined): ResolvedMetrics | undefined {
  if (given === undefined || given === false) return undefined;
  return RESOLVERS[typeOf(given)](given);
}

/** The path of the application that serves the metrics. Undefined if they have a port of their own, or are not served. */
export function applicationPathOf(metrics: ResolvedMetrics | undefined): string | undefined {
  if (metrics?.type !== 'prometheus' || metrics.place?.port !== undefined) return undefined;
  return metrics.place?.path;
}

function typeOf(given: unknown): MetricsType {
  const type = typeof given === 'object' && given !== null && 'type' in given ? given.type : undefined;
  if (type === undefined) return 'prometheus';
  return oneOf({ name: 'metrics.type', value: type }, Object.keys(RESOLVERS) as MetricsType[]);
}

function resolvePrometheus(given: MetricsOptions): ResolvedMetrics {
  const options = knownKeys<PrometheusMetricsOptions>('metrics', given, {
    type: true,
    path: true,
    port: true,
    host: true,
    guards: true,
    registry: true,
    defaultMetrics: true,
    cardinalityLimit: true,
  });
  const defaultMetrics = option('metrics.defaultMetrics', options.defaultMetrics);
  const cardinalityLimit = option('metrics.cardinalityLimit', options.cardinalityLimit);
  return Object.freeze({
    type: 'prometheus',
    place: place(options),
    registry: registry(option('metrics.registry', options.registry)),
    defaultMetrics: defaultMetrics ? flag(defaultMetrics) : true,
    // As OpenTelemetry's SDKs have it.
    cardinalityLimit: cardinalityLimit ? integer(cardinalityLimit, 1) : 2000,
  });
}

function place(options: Partial<PrometheusMetricsOptions>): ResolvedMetricsPlace | undefined {
  const path = options.path === false ? undefined : pathOf(option('metrics.path', options.path));
  const port = option('metrics.port', options.port);
  if (!port) {
    refuse(options, 'host', 'It goes with metrics.port: without one the application itself serves the metrics.');
    return path === undefined ? undefined : Object.freeze({ path, guards: guardsOf(options) });
  }
  refuse(options, 'guards', 'They guard the route of the application: leave them out, or metrics.port.');
  if (path === undefined) {
    const fix = 'Leave it out for /metrics, or leave metrics.port out to serve nothing.';
    throw new TracingConfigurationError('metrics.path', false, fix);
  }
  const host = option('metrics.host', options.host);
  return Object.freeze({ path, port: integer(port, 0, 65_535), host: host && text(host) });
}

function pathOf(path: Setting | undefined): string {
  if (!path) return '/metrics';
  const written = text(path);
  if (/^\/[^?#*:(){}]*$/.test(written)) return written;
  throw new TracingConfigurationError(path.name, path.value, 'Write a fixed path, such as /metrics.');
}

function guardsOf({ guards }: Partial<PrometheusMetricsOptions>): readonly (CanActivate | Type<CanActivate>)[] {
  if (guards === undefined) return [];
  const fix = 'Give a list of guards: classes, or objects with canActivate().';
  if (!Array.isArray(guards)) throw new TracingConfigurationError('metrics.guards', guards, fix);
  for (const [index, guard] of guards.entries() as Iterable<[number, unknown]>) {
    const isGuard =
      typeof guard === 'function' || typeof (guard as Partial<CanActivate> | null)?.canActivate === 'function';
    if (!isGuard) throw new TracingConfigurationError(`metrics.guards[${index}]`, guard, fix);
  }
  return Object.freeze([...guards]) as readonly (CanActivate | Type<CanActivate>)[];
}

function registry(given: Setting | undefined): PrometheusRegistry | undefined {
  if (!given) return undefined;
  const { name, value } = given;
  const methods = ['registerMetric', 'getSingleMetric', 'removeSingleMetric', 'getMetricsAsJSON'] as const;
  const isRegistry =
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
  if (isRegistry) return value as PrometheusRegistry;
  const fix = 'Give a Registry of prom-client, such as its register, or leave it out for one of its own.';
  // Not the value: one that is nearly a registry is a lot of text.
  throw new TracingConfigurationError(name, typeof value, fix);
}

function refuse(options: Partial<PrometheusMetricsOptions>, key: 'host' | 'guards', fix: string): void {
  const value = options[key];
  if (value !== undefined) throw new TracingConfigurationError(`metrics.${key}`, value, fix);
}

function resolveMeter(given: MetricsOptions): ResolvedMetrics {
  const options = knownKeys<MeterMetricsOptions>('metrics', given, { type: true, meterProvider: true });
  const { meterProvider } = options;
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function') {
    const fix = 'Give a MeterProvider of OpenTelemetry, or leave it out for the one that is registered.';
    throw new TracingConfigurationError('metrics.meterProvider', typeof meterProvider, fix);
  }
  return Object.freeze({ type: 'opentelemetry', meterProvider });
}
