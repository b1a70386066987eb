import { TracingConfigurationError } from '../tracing.errors.js';
import type { ShutdownOptions, TracingOptions } from '../tracing.options.js';
import { resolveBaggage } from './baggage.js';
import { resolveBatch } from './batch.js';
import { booleanVariable } from './boolean-variable.js';
import { resolveExporters } from './exporter.js';
import { resolveGrpc } from './grpc.js';
import { resolveHttpClient } from './http-client.js';
import { resolveHttp } from './http.js';
import { knownKeys } from './known-keys.js';
import { resolveKnownMethods } from './known-methods.js';
import { resolveLimits } from './limits.js';
import { nearestPackage, type PackageInfo } from './package-info.js';
import { resolveMetrics } from './metrics.js';
import { nameList } from './name-list.js';
import { flag, milliseconds, oneOf } from './parse.js';
import { resolvePropagators } from './propagators.js';
import type { ResolvedMetrics, ResolvedOptions } from './resolved-options.js';
import { resolveResource } from './resource.js';
import { resolveSampler } from './sampler.js';
import { option, variable } from './setting.js';

const KEYS: readonly (keyof TracingOptions)[] = [
  'enabled',
  'serviceName',
  'serviceVersion',
  'resource',
  'exporter',
  'batch',
  'sampler',
  'propagators',
  'baggage',
  'limits',
  'http',
  'grpc',
  'metrics',
  'shutdown',
];

/** What the tracer provider is made of. */
const PROVIDER_KEYS: readonly (keyof TracingOptions)[] = [
  'exporter',
  'batch',
  'sampler',
  'limits',
  'serviceName',
  'serviceVersion',
  'resource',
  'propagators',
];

/** The names that the SDK has for its resource detectors. */
const DETECTORS = ['all', 'none', 'env', 'host', 'os', 'process', 'serviceinstance'] as const;

/**
 * Settles every option: what the user wrote, else the `OTEL_*` variable, else the default.
 *
 * @param findPackage looks for the application's package.json; called only when the service's name or version is needed from it
 * A variable that cannot be used is warned of and ignored.
 *
 * @throws TracingConfigurationError naming the option, what it was, and the fix
 */
export function resolveOptions(
  options: TracingOptions,
  env: NodeJS.ProcessEnv = process.env,
  findPackage: () => PackageInfo | undefined = nearestPackage,
): ResolvedOptions {
  if (options === undefined) {
    const fix =
      'Return an object from the factory, {} for the defaults. A registerAs() namespace has to be loaded first.';
    throw new TracingConfigurationError('options', options, fix);
  }
  const given = knownKeys<TracingOptions>('', options, KEYS);
  if (isEnabled(given.enabled, env)) return resolve(true, given, env, findPackage);
  // Switching tracing off must also help against a configuration that is wrong.
  return resolve(false, { exporter: 'none' }, {}, () => undefined);
}

function resolve(
  enabled: boolean,
  options: Partial<TracingOptions>,
  env: NodeJS.ProcessEnv,
  findPackage: () => PackageInfo | undefined,
): ResolvedOptions {
  const metrics = resolveMetrics(options.metrics);
  const http = resolveHttp(options.http, resolveKnownMethods(env), metricsPath(metrics));
  return Object.freeze({
    enabled,
    resource: resolveResource(options, env, findPackage),
    resourceDetectors: Object.freeze(resolveDetectors(env)),
    exporters: resolveExporters(options.exporter, env),
    batch: resolveBatch(options.batch, env),
    sampler: resolveSampler(options.sampler, env),
    propagators: resolvePropagators(options.propagators, env),
    baggage: resolveBaggage(options.baggage),
    limits: resolveLimits(options.limits, env),
    http,
    httpClient: resolveHttpClient(options.http?.client, http),
    grpc: options.grpc === false ? undefined : resolveGrpc(options.grpc),
    metrics,
    shutdown: resolveShutdown(options.shutdown),
    providerOptionsGiven: Object.freeze([
      ...PROVIDER_KEYS.filter((key) => options[key] !== undefined),
      ...(options.baggage?.attributes === undefined ? [] : ['baggage.attributes']),
    ]),
  });
}

/** The path of the application that serves metrics, if it does. */
function metricsPath(metrics: ResolvedMetrics | undefined): string | undefined {
  if (metrics?.type !== 'prometheus' || metrics.place?.port !== undefined) return undefined;
  return metrics.place?.path;
}

function isEnabled(given: unknown, env: NodeJS.ProcessEnv): boolean {
  const enabled = option('enabled', given);
  return enabled ? flag(enabled) : !booleanVariable(variable(env, 'OTEL_SDK_DISABLED'));
}

function resolveDetectors(env: NodeJS.ProcessEnv): readonly string[] {
  return nameList(variable(env, 'OTEL_NODE_RESOURCE_DETECTORS'), (entry) => oneOf(entry, DETECTORS)) ?? [];
}

function resolveShutdown(given: ShutdownOptions | undefined): ResolvedOptions['shutdown'] {
  const options = knownKeys<ShutdownOptions>('shutdown', given, ['timeout', 'onProcessExit']);
  const timeout = option('shutdown.timeout', options.timeout);
  const onProcessExit = option('shutdown.onProcessExit', options.onProcessExit);
  return Object.freeze({
    timeout: timeout ? milliseconds(timeout, 0) : 5000,
    onProcessExit: onProcessExit ? flag(onProcessExit) : false,
  });
}
