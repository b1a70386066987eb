import type { CanActivate, Type } from '@nestjs/common';
import { TracingConfigurationError } from '../tracing.errors.js';
import type {
  MeterMetricsOptions,
  MetricsOptions,
  PrometheusMetricsOptions,
  PrometheusRegistry,
  TracingOptions,
} from '../tracing.options.js';
import { knownKeys } from './known-keys.js';
import { flag, integer, oneOf, text } from './parse.js';
import type { ResolvedMetrics, ResolvedMetricsPlace } from './resolved-options.js';
import { option, type Setting } from './setting.js';

type AllPrometheusOptions = { [Key in keyof PrometheusMetricsOptions]: unknown };

const TYPES = ['prometheus', 'opentelemetry'] as const satisfies readonly MetricsOptions['type'][];

const PROMETHEUS_KEYS = [
  'type',
  'path',
  'port',
  'host',
  'guards',
  'registry',
  'defaultMetrics',
  'cardinalityLimit',
] as const satisfies readonly (keyof PrometheusMetricsOptions)[];

/** Settles what is measured and where it can be read; undefined where nothing is. */
export function resolveMetrics(given: TracingOptions['metrics']): ResolvedMetrics | undefined {
  if (given === undefined || given === false) return undefined;
  const type = typeOf(given);
  return type === 'prometheus' ? prometheus(given) : openTelemetry(given);
}

function typeOf(given: unknown): (typeof TYPES)[number] {
  const type = typeof given === 'object' && given !== null && 'type' in given ? given.type : undefined;
  return type === undefined ? 'prometheus' : oneOf({ name: 'metrics.type', value: type }, TYPES);
}

function prometheus(given: MetricsOptions): ResolvedMetrics {
  const options: Partial<AllPrometheusOptions> = knownKeys<AllPrometheusOptions>('metrics', given, PROMETHEUS_KEYS);
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

function place(options: Partial<AllPrometheusOptions>): ResolvedMetricsPlace | undefined {
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

function guardsOf({ guards }: Partial<AllPrometheusOptions>): readonly (CanActivate | Type<CanActivate>)[] {
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

function refuse(options: Partial<AllPrometheusOptions>, key: 'host' | 'guards', fix: string): void {
  const value = options[key];
  if (value !== undefined) throw new TracingConfigurationError(`metrics.${key}`, value, fix);
}

function openTelemetry(given: MetricsOptions): ResolvedMetrics {
  const options = knownKeys<MeterMetricsOptions>('metrics', given, ['type', 'meterProvider']);
  const { meterProvider } = options;
  if (meterProvider !== undefined && typeof meterProvider?.getMeter !== 'function') {
    const fix = 'Give a MeterProvider of OpenTelemetry, or leave it out for the one that is registered.';
    throw new TracingConfigurationError('metrics.meterProvider', typeof meterProvider, fix);
  }
  return Object.freeze({ type: 'opentelemetry', meterProvider });
}
