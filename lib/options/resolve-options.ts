import type { TracingOptions } from '../tracing.options.js';
import { resolveBaggage } from './baggage.js';
import { resolveBatch } from './batch.js';
import { checkOptions, OPTIONS } from './check-options.js';
import { resolveData } from './data.js';
import { resolveEnabled } from './enabled.js';
import { resolveEvents } from './events.js';
import { resolveExporters } from './exporter.js';
import type { FixedValues } from './fixed-values.js';
import { resolveGraphQL } from './graphql.js';
import { resolveGrpc, type GrpcOptions } from './grpc.js';
import { resolveHttp, type HttpOptions } from './http.js';
import { resolveHttpClient } from './http-client.js';
import { resolveJobs } from './jobs.js';
import { resolveKnownMethods } from './known-methods.js';
import { resolveLimits } from './limits.js';
import { resolveLogLevel } from './log-level.js';
import { resolveLogs } from './logs.js';
import { resolveMessaging } from './messaging.js';
import { applicationPathOf, resolveMetrics } from './metrics.js';
import { resolveLifecycle } from './nest.js';
import { findNearestPackage, type PackageInfo } from './package-info.js';
import { resolvePropagators } from './propagators.js';
import { resolveResource, resolveResourceDetectors } from './resource.js';
import { resolveResponse } from './response.js';
import { resolveSampler } from './sampler.js';
import { resolveShutdown } from './shutdown.js';
import { resolveSpanAttributes } from './span-attributes.js';
import { resolveSpanProcessors } from './span-processors.js';
import { optionsIfOn } from './switch.js';
import { resolveTracer } from './tracer.js';
import { resolveWebSockets } from './websockets.js';

/** The options after `resolveOptions()`: complete, checked and frozen. */
export type ResolvedOptions = ReturnType<typeof resolve>;

/**
 * Resolves every option: the value in code, else the `OTEL_*` variable, else the default. A variable that cannot be used is
 * ignored with a warning.
 *
 * @param findPackage finds the application's package.json; called only if the name or version of the service is needed from it
 * @throws TracingConfigurationError with the name of the option, its value and the fix
 */
export function resolveOptions(
  options: TracingOptions,
  env: NodeJS.ProcessEnv = process.env,
  findPackage: () => PackageInfo | undefined = findNearestPackage,
): ResolvedOptions {
  const given = checkOptions(options);
  if (resolveEnabled(given.enabled, env)) return resolve(true, given, env, findPackage);
  // An application must be able to switch tracing off even if the rest of its configuration is wrong.
  return resolve(false, { exporter: 'none' }, {}, () => undefined);
}

function resolve(
  enabled: boolean,
  options: Partial<TracingOptions>,
  env: NodeJS.ProcessEnv,
  findPackage: () => PackageInfo | undefined,
) {
  const metrics = resolveMetrics(options.metrics);
  const sampler = resolveSampler(options.sampler, env);
  const tracer = resolveTracer(options.tracer, sampler);
  const response = resolveResponse(options.response);
  const httpGroup = optionsIfOn<HttpOptions>('http', options.http);
  const http = httpGroup && resolveHttp(httpGroup, resolveKnownMethods(env), response, applicationPathOf(metrics));
  const grpcGroup = optionsIfOn<GrpcOptions>('grpc', options.grpc);
  return Object.freeze({
    enabled,
    resource: resolveResource(options, env, findPackage),
    resourceDetectors: resolveResourceDetectors(env),
    exporters: resolveExporters(options.exporter, env),
    batch: resolveBatch(options.batch, env),
    sampler,
    propagators: resolvePropagators(options.propagators, env),
    baggage: resolveBaggage(options.baggage),
    /** Undefined if spans have no attributes in common. */
    spanAttributes: resolveSpanAttributes(options.spanAttributes),
    limits: resolveLimits(options.limits, env),
    spanProcessors: resolveSpanProcessors(options.spanProcessors),
    tracer,
    /** Undefined if HTTP is not traced. */
    http,
    /** Undefined if outgoing requests are not traced. */
    httpClient: http && resolveHttpClient(httpGroup.client, http),
    /** Undefined if gRPC is not traced. */
    grpc: grpcGroup && resolveGrpc(grpcGroup, response),
    /** Undefined if messages are not traced. */
    messaging: resolveMessaging(options.messaging),
    /** Undefined if no database is traced. */
    data: resolveData(options.data),
    /** Undefined if no job is traced. */
    jobs: resolveJobs(options.jobs),
    /** Undefined if messages of WebSocket clients are not traced. */
    websockets: resolveWebSockets(options.websockets),
    /** Undefined if GraphQL operations are not traced. */
    graphql: resolveGraphQL(options.graphql),
    /** Undefined if no events, commands and queries are traced. */
    events: resolveEvents(options.events),
    /** Undefined if no stages have spans. */
    lifecycle: resolveLifecycle(options.nest),
    /** Undefined if nothing is measured. */
    metrics,
    /** Undefined if log lines do not carry the trace. */
    logs: resolveLogs(options.logs, options.exporter, env),
    shutdown: resolveShutdown(options.shutdown),
    /** Undefined unless a test fixes them. */
    fixedValues: undefined as FixedValues | undefined,
    /** Undefined if the levels of Nest's logger alone decide which messages of the library are written. */
    logLevel: resolveLogLevel(env),
    /** The options of the provider that are given in code. A warning names them if they have no effect. */
    providerOptionsGiven: providerOptionsIn(options),
  });
}

function providerOptionsIn(options: Partial<TracingOptions>): readonly string[] {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.freeze([
    ...given.map(([key]) => key).filter((key) => OPTIONS[key as keyof TracingOptions] === 'provider'),
    // The rest of the baggage is a matter of the propagators.
    ...(options.baggage?.attributes === undefined ? [] : ['baggage.attributes']),
  ]);
}
