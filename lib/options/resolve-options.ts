import type { Attributes } from '@opentelemetry/api';
import { TracingConfigurationError } from '../tracing.errors.js';
import type { TracingOptions } from '../tracing.options.js';
import { resolveBaggage, type ResolvedBaggage } from './baggage.js';
import { resolveBatch, type ResolvedBatch } from './batch.js';
import { booleanVariable } from './boolean-variable.js';
import { resolveExporters, type ResolvedExporter } from './exporter.js';
import { resolveGrpc, type ResolvedGrpc } from './grpc.js';
import { resolveHttp, type ResolvedHttp } from './http.js';
import { resolveHttpClient, type ResolvedHttpClient } from './http-client.js';
import { knownKeys } from './known-keys.js';
import { resolveKnownMethods } from './known-methods.js';
import { resolveLimits, type ResolvedSpanLimits } from './limits.js';
import { resolveMetrics, type ResolvedMetrics } from './metrics.js';
import { nearestPackage, type PackageInfo } from './package-info.js';
import { flag } from './parse.js';
import { resolvePropagators, type ResolvedPropagators } from './propagators.js';
import { resolveResource, resolveResourceDetectors } from './resource.js';
import { resolveSampler, type ResolvedSampler } from './sampler.js';
import { option, variable } from './setting.js';
import { resolveShutdown, type ResolvedShutdown } from './shutdown.js';

/** What `resolveOptions()` makes of the user's options, the environment and the defaults: complete, checked and frozen. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  /** Resource attributes, `service.name` among them. */
  readonly resource: Attributes;
  /** The detectors of the SDK that `OTEL_NODE_RESOURCE_DETECTORS` asks for. */
  readonly resourceDetectors: readonly string[];
  readonly exporters: readonly ResolvedExporter[];
  readonly batch: ResolvedBatch;
  readonly sampler: ResolvedSampler;
  readonly propagators: ResolvedPropagators;
  readonly baggage: ResolvedBaggage;
  readonly limits: ResolvedSpanLimits;
  readonly http: ResolvedHttp;
  /** Undefined where outgoing requests are not traced. */
  readonly httpClient: ResolvedHttpClient | undefined;
  /** Undefined where gRPC is not traced. */
  readonly grpc: ResolvedGrpc | undefined;
  /** Undefined where nothing is measured. */
  readonly metrics: ResolvedMetrics | undefined;
  readonly shutdown: ResolvedShutdown;
  /** The options that shape the provider and were given in code: named in the warning when a provider is there already. */
  readonly providerOptionsGiven: readonly string[];
}

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
    resourceDetectors: resolveResourceDetectors(env),
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
