import type { TracerProvider } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { markParentBased } from '../core/tracer.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { ReadableSpan } from '../options/sdk-types.js';
import type { ExportStatistics } from '../tracing.runtime.js';
import { copyBaggageToSpans } from './baggage-attributes.js';
import { withEnvironment } from './environment.js';
import { boundSpans } from './export/bounded-spans.js';
import { createSpanProcessors } from './export/exporters.js';
import { registeredProvider, unregisterProvider } from './globals.js';
import type { PresetIdGenerator } from './id-generator.js';
import { loadSdkNode } from './packages.js';
import { preciseTimes } from './precise-times.js';
import { createResource } from './resource.js';
import { createSampler } from './samplers.js';
import { withTraceBeginnings } from './trace-beginnings.js';
import type { SpanProcessor } from './types.js';

/** A tracer provider with the operations that are common to the library's own and a foreign one. */
export interface ProviderHandle {
  /** Undefined if the provider could not be registered, because two versions of `@opentelemetry/api` are installed. */
  readonly provider: TracerProvider | undefined;
  /** True if another SDK has registered the provider. */
  readonly isForeign: boolean;
  forceFlush(): Promise<void>;
  /** Flushes for the last time before the process ends: no export is attempted a second time. */
  flushBeforeExit(): Promise<void>;
  shutdown(): Promise<void>;
  finishedSpans(): readonly ReadableSpan[];
  exportStatistics(): readonly ExportStatistics[];
}

/** Returns the handle of a provider that a preload or a vendor's agent has registered: it is used, and otherwise left alone. */
export function useForeignProvider(provider: TracerProvider): ProviderHandle {
  const { forceFlush } = provider as { forceFlush?: () => Promise<void> };
  const flush = async () => {
    await forceFlush?.call(provider);
  };
  return {
    provider,
    isForeign: true,
    forceFlush: flush,
    flushBeforeExit: flush,
    // The other SDK shuts its provider down. But Nest may end the process as soon as its hooks are done, before that SDK exports.
    shutdown: flush,
    finishedSpans: () => [],
    exportStatistics: () => [],
  };
}

/** Starts the SDK as the options say, and registers its tracer provider in place of the early one. */
export function startProvider(options: ResolvedOptions, ids: PresetIdGenerator): ProviderHandle {
  const { NodeSDK } = loadSdkNode();
  const { processors, memory } = createSpanProcessors(options);
  const serviceName = String(options.resource[ATTR_SERVICE_NAME]);
  const sampling = createSampler(options.sampler, serviceName);
  const configuration: Partial<NodeSDKConfiguration> = {
    autoDetectResources: options.resourceDetectors.length > 0,
    resource: createResource(options.resource),
    serviceName,
    sampler: withTraceBeginnings(sampling.sampler),
    // Never empty, even without an exporter: the SDK would register no provider, and no trace id would reach the next service.
    spanProcessors: [...ownProcessors(options), ...processors],
    spanLimits: {
      attributeCountLimit: options.limits.attributeCount,
      attributeValueLengthLimit: options.limits.attributeValueLength,
      eventCountLimit: options.limits.eventCount,
      linkCountLimit: options.limits.linkCount,
      attributePerEventCountLimit: options.limits.attributePerEventCount,
      attributePerLinkCountLimit: options.limits.attributePerLinkCount,
    },
    idGenerator: ids,
    // With null, the SDK registers none: the library has registered its own.
    contextManager: null as never,
    textMapPropagator: null,
    metricReaders: [],
  };
  unregisterProvider();
  const detectors = { OTEL_NODE_RESOURCE_DETECTORS: options.resourceDetectors.join() };
  const sdk = withEnvironment({ ...ONLY_TRACES, ...detectors }, () => {
    const started = new NodeSDK(configuration);
    started.start();
    return started;
  });
  const provider = registeredProvider();
  if (provider && isParentBased(options.sampler)) markParentBased(provider);
  return {
    provider,
    isForeign: false,
    forceFlush: async () => {
      await Promise.all(processors.map((processor) => processor.forceFlush()));
    },
    flushBeforeExit: async () => {
      await Promise.all(processors.map((processor) => processor.flushBeforeExit()));
    },
    shutdown: () => {
      sampling.stop();
      return sdk.shutdown();
    },
    finishedSpans: () => memory?.getFinishedSpans() ?? [],
    exportStatistics: () => processors.flatMap((processor) => processor.statistics() ?? []),
  };
}

function isParentBased({ type }: ResolvedOptions['sampler']): boolean {
  return type.startsWith('parentbased') || type === 'always_off';
}

/** The processors of the library, which come before those that export. */
function ownProcessors({ baggage: { attributes }, exporters, limits }: ResolvedOptions): SpanProcessor[] {
  const finiteNumbersOnly = exporters.some((exporter) => exporter.type === 'otlp' && exporter.protocol === 'http/json');
  return [
    preciseTimes,
    ...(attributes.length > 0 ? [copyBaggageToSpans(attributes)] : []),
    ...(exporters.length > 0 ? [boundSpans({ textLength: limits.attributeValueLength, finiteNumbersOnly })] : []),
  ];
}

// The SDK has no option for these variables: by the first it would export logs as well, and the second would take precedence
// over the option `enabled`.
const ONLY_TRACES = { OTEL_LOGS_EXPORTER: 'none', OTEL_SDK_DISABLED: '' };
