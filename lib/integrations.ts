import { reportIgnored } from './core/diagnostics.js';
import type { ApplicationHosts, Integration, IntegrationContext, IntegrationHooks } from './core/integration.js';
import { OperationMeter } from './core/operation-meter.js';
import { dataIntegration } from './data/integration.js';
import { graphqlIntegration } from './graphql/integration.js';
import { eventsIntegration } from './events/integration.js';
import { grpcIntegration } from './grpc/integration.js';
import { handlersIntegration } from './handlers/integration.js';
import { httpClientIntegration } from './http/client/integration.js';
import { httpServerIntegration } from './http/server/integration.js';
import { logsIntegration } from './logs/integration.js';
import { messagingIntegration } from './messaging/integration.js';
import { jobsIntegration } from './jobs/integration.js';
import { lifecycleIntegration } from './lifecycle/integration.js';
import { Metrics } from './metrics/metrics.js';
import type { ResolvedOptions } from './options/resolve-options.js';
import { TracingConfigurationError } from './tracing.errors.js';
import type { TracingRuntime } from './tracing.runtime.js';
import { webSocketsIntegration } from './websockets/integration.js';

/** The integrations, in the order in which they start and their hooks run. */
export const integrations: readonly Integration<ResolvedOptions>[] = [
  // Both observe filters, and stop in the reverse order.
  lifecycleIntegration,
  handlersIntegration,
  httpServerIntegration,
  httpClientIntegration,
  grpcIntegration,
  messagingIntegration,
  dataIntegration,
  logsIntegration,
  jobsIntegration,
  webSocketsIntegration,
  graphqlIntegration,
  eventsIntegration,
];

/** Returns the integrations. */
export function listIntegrations(): readonly Integration<ResolvedOptions>[] {
  return integrations;
}

/**
 * Starts the integrations of an application, and its metrics.
 *
 * @throws TracingConfigurationError
 */
export function startIntegrations(
  list: readonly Integration<ResolvedOptions>[],
  options: ResolvedOptions,
  runtime: TracingRuntime,
  hosts: ApplicationHosts,
): readonly IntegrationHooks[] {
  const exportStatistics = () => runtime.exportStatistics();
  const sources = { resource: options.resource, exportStatistics };
  const metrics = new Metrics(options.metrics, sources, hosts);
  const context = contextFor(options, runtime, hosts, metrics);
  const started = list.map((integration) => startIntegration(integration, options, context));
  return [...started.filter((hooks) => hooks !== undefined), metrics];
}

/** Starts one integration. A configuration error stops the start of the application; any other error only disables the integration. */
function startIntegration(
  integration: Integration<ResolvedOptions>,
  options: ResolvedOptions,
  context: IntegrationContext,
): IntegrationHooks | undefined {
  try {
    return integration.start(options, context);
  } catch (error) {
    if (error instanceof TracingConfigurationError) throw error;
    reportIgnored(`Starting the integration ${integration.name}`, error);
    return undefined;
  }
}

function contextFor(
  { sampler, spanProcessors }: ResolvedOptions,
  runtime: TracingRuntime,
  hosts: ApplicationHosts,
  { instruments }: Metrics,
): IntegrationContext {
  return {
    ...hosts,
    meter: (metrics) => instruments && OperationMeter.of(instruments, metrics),
    // The provider of another SDK may have a sampler and processors of any kind.
    areAttributesReadAtStart: sampler.type === 'custom' || spanProcessors.length > 0 || runtime.foreignProvider,
    hasForeignProvider: runtime.foreignProvider,
    flush: () => runtime.flush(),
    emitLog: (line) => runtime.emitLog(line),
  };
}
