import type { CanActivate, Type } from '@nestjs/common';
import type { MeterProvider } from '@opentelemetry/api';
import { TracingConfigurationError, WithheldValue } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { parseInteger, parseName, parseText } from './parse.js';
import { readOption, type Setting } from './setting.js';
import { isOn, optionsIfOn } from './switch.js';
import type { BooleanOption, NumberOption } from './text-types.js';

/** How requests and calls are measured. */
export type MetricsOptions = PrometheusMetricsOptions | MeterMetricsOptions;

/** Metrics that a Prometheus scrapes, by the package `prom-client`. */
export type PrometheusMetricsOptions = ApplicationMetricsOptions | PortMetricsOptions | UnservedMetricsOptions;

/** A registry of prom-client. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void;
  getSingleMetric(name: string): object | undefined;
  removeSingleMetric(name: string): void;
  getMetricsAsJSON(): Promise<unknown>;
}

/** The options that all ways of serving Prometheus metrics have in common. */
export interface PrometheusRegistryOptions {
  /** The interface to which the metrics are written. @default 'prometheus' */
  type?: 'prometheus' | undefined;
  /**
   * The registry of prom-client to which the metrics are added, so that they are served together with the metrics that it contains.
   * @default a new registry
   */
  registry?: PrometheusRegistry | undefined;
  /**
   * True if prom-client's metrics of the process and of Node are added, unless the registry contains them.
   * @default true
   */
  defaultMetrics?: BooleanOption | undefined;
  /**
   * Number of series of one metric. Measurements for further series are counted in one series with the label
   * `otel_metric_overflow="true"`, and one warning is logged.
   * @default 2000
   */
  cardinalityLimit?: NumberOption | undefined;
}

/** Metrics on a path of the application, outside its global prefix. Scrapes are neither traced nor counted. Global guards apply. */
export interface ApplicationMetricsOptions extends PrometheusRegistryOptions {
  /** The path at which the metrics are served. @default '/metrics' */
  path?: string | undefined;
  /** Guards of this path, in addition to global guards: classes, which DI provides or creates, or objects. @default [] */
  guards?: readonly (CanActivate | Type<CanActivate>)[] | undefined;
  port?: undefined;
  host?: undefined;
}

/** Metrics on a separate port, for an application without HTTP, or to keep them unreachable from outside. */
export interface PortMetricsOptions extends PrometheusRegistryOptions {
  /** The port, such as 9464, which OpenTelemetry's Prometheus exporters use. @default no port of their own */
  port: NumberOption;
  /** The address to listen on. @default all addresses */
  host?: string | undefined;
  /** The path at which the metrics are served. @default '/metrics' */
  path?: string | undefined;
  guards?: undefined;
}

/** Metrics in a registry that the application itself serves or pushes. */
export interface UnservedMetricsOptions extends PrometheusRegistryOptions {
  /** False if the metrics are not served. */
  path: false;
  guards?: undefined;
  port?: undefined;
  host?: undefined;
}

/** Metrics by OpenTelemetry's Meter API. The application's `MeterProvider` exports them, for example by OTLP. */
export interface MeterMetricsOptions {
  /** The interface to which the metrics are written. @default 'prometheus' */
  type: 'opentelemetry';
  /** The provider of the meter. @default the globally registered provider */
  meterProvider?: MeterProvider | undefined;
}

export type ResolvedMetrics =
  ResolvedPrometheusMetrics | { readonly type: 'opentelemetry'; readonly meterProvider: MeterProvider | undefined };

export interface ResolvedPrometheusMetrics {
  readonly type: 'prometheus';
  /** Undefined if the application itself serves or pushes the metrics. */
  readonly place: ResolvedMetricsPlace | undefined;
  /** Undefined for a new registry. */
  readonly registry: PrometheusRegistry | undefined;
  /** True if the metrics of the process and of Node are added. */
  readonly defaultMetrics: boolean;
  /** The number of series of one metric. */
  readonly cardinalityLimit: number;
}

/** The place at which metrics are served: a path of the application, or of a separate port. */
export type ResolvedMetricsPlace =
  | {
      readonly path: string;
      readonly guards: readonly (CanActivate | Type<CanActivate>)[];
      readonly port?: undefined;
    }
  | { readonly path: string; readonly port: number; readonly host: string | undefined };

type MetricsType = NonNullable<MetricsOptions['type']>;

const RESOLVERS: Readonly<Record<MetricsType, (given: Partial<MetricsOptions>) => ResolvedMetrics>> = {
  prometheus: resolvePrometheus,
  opentelemetry: resolveMeter,
};

/** Resolves which metrics are measured, and where they are served. Returns undefined if nothing is measured. */
export function resolveMetrics(given: MetricsOptions | BooleanOption | undefined): ResolvedMetrics | undefined {
  const group = optionsIfOn('metrics', given, false);
  return group && RESOLVERS[typeOf(group)](group);
}

/** Returns the path of the application that serves the metrics. Undefined if they have a separate port, or are not served. */
export function applicationPathOf(metrics: ResolvedMetrics | undefined): string | undefined {
  if (metrics?.type !== 'prometheus' || metrics.place?.port !== undefined) return undefined;
  return metrics.place?.path;
}

function typeOf({ type }: Partial<MetricsOptions>): MetricsType {
  if (type === undefined) return 'prometheus';
  return parseName({ name: 'metrics.type', value: type }, Object.keys(RESOLVERS) as MetricsType[]);
}

function resolvePrometheus(given: Partial<MetricsOptions>): ResolvedMetrics {
  const options = checkKeys<PrometheusMetricsOptions>('metrics', given, {
    type: true,
    path: true,
    port: true,
    host: true,
    guards: true,
    registry: true,
    defaultMetrics: true,
    cardinalityLimit: true,
  });
  const cardinalityLimit = readOption('metrics.cardinalityLimit', options.cardinalityLimit);
  return Object.freeze({
    type: 'prometheus',
    place: resolvePlace(options),
    registry: parseRegistry(readOption('metrics.registry', options.registry)),
    defaultMetrics: isOn('metrics.defaultMetrics', options.defaultMetrics, true),
    // The default limit of OpenTelemetry's SDKs.
    cardinalityLimit: cardinalityLimit ? parseInteger(cardinalityLimit, 1) : 2000,
  });
}

function resolvePlace(options: Partial<PrometheusMetricsOptions>): ResolvedMetricsPlace | undefined {
  const path = options.path === false ? undefined : parsePath(readOption('metrics.path', options.path));
  const port = readOption('metrics.port', options.port);
  if (!port) {
    refuseOption(options, 'host', 'It goes with metrics.port: without one the application itself serves the metrics.');
    return path === undefined ? undefined : Object.freeze({ path, guards: parseGuards(options) });
  }
  refuseOption(options, 'guards', 'They guard the route of the application: leave them out, or metrics.port.');
  if (path === undefined) {
    const fix = 'Leave it out for /metrics, or leave metrics.port out to serve nothing.';
    throw new TracingConfigurationError('metrics.path', false, fix);
  }
  const host = readOption('metrics.host', options.host);
  return Object.freeze({ path, port: parseInteger(port, 0, 65_535), host: host && parseText(host) });
}

function parsePath(path: Setting | undefined): string {
  if (!path) return '/metrics';
  const fixedPath = parseText(path);
  if (/^\/[^?#*:(){}]*$/.test(fixedPath)) return fixedPath;
  throw new TracingConfigurationError(path.name, path.value, 'Write a fixed path, such as /metrics.');
}

function parseGuards({ guards }: Partial<PrometheusMetricsOptions>): readonly (CanActivate | Type<CanActivate>)[] {
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

function parseRegistry(given: Setting | undefined): PrometheusRegistry | undefined {
  if (!given) return undefined;
  const { name, value } = given;
  const methods = ['registerMetric', 'getSingleMetric', 'removeSingleMetric', 'getMetricsAsJSON'] as const;
  const isRegistry =
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function');
  if (isRegistry) return value as PrometheusRegistry;
  const fix = 'Give a Registry of prom-client, such as its register, or leave it out for one of its own.';
  // The error shows only the type, because an object that resembles a registry is a very long text.
  throw new TracingConfigurationError(name, new WithheldValue(value), fix);
}

function refuseOption(options: Partial<PrometheusMetricsOptions>, key: 'host' | 'guards', fix: string): void {
  const value = options[key];
  if (value !== undefined) throw new TracingConfigurationError(`metrics.${key}`, value, fix);
}

function resolveMeter(given: Partial<MetricsOptions>): ResolvedMetrics {
  const options = checkKeys<MeterMetricsOptions>('metrics', given, { type: true, meterProvider: true });
  const { meterProvider } = options;
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function') {
    const fix = 'Give a MeterProvider of OpenTelemetry, or leave it out for the one that is registered.';
    throw new TracingConfigurationError('metrics.meterProvider', new WithheldValue(meterProvider), fix);
  }
  return Object.freeze({ type: 'opentelemetry', meterProvider });
}
