import type { TracerProvider } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import { markParentBased } from '../core/tracer.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { ReadableSpan, Sampler } from '../options/sdk-types.js';
import type { ExportStatistics } from '../tracing.runtime.js';
import { copyBaggageToSpans } from './baggage-attributes.js';
import { boundSpans } from './export/bounded-spans.js';
import { createExportPaths, statisticsOf } from './export/exporters.js';
import { registeredProvider, registerProvider } from './globals.js';
import type { PresetIdGenerator } from './id-generator.js';
import { loadFromSdk } from './packages.js';
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

interface TraceSdk {
  TracerProvider: new (config: {
    resource: unknown;
    sampler: Sampler;
    spanProcessors: readonly SpanProcessor[];
    spanLimits: Readonly<Record<string, number>>;
    idGenerator: PresetIdGenerator;
  }) => TracerProvider & { shutdown(): Promise<void> };
}

/** Starts a tracer provider of the SDK as the options say, and registers it in place of the early one. */
export function startProvider(options: ResolvedOptions, ids: PresetIdGenerator): ProviderHandle {
  // The provider alone: the SDK's NodeSDK loads every exporter, and reads variables that options have replaced.
  const sdk = loadFromSdk<TraceSdk>('@opentelemetry/sdk-trace');
  const { memory, paths } = createExportPaths(options);
  const processors = paths.map(({ processor }) => processor);
  const { limits, resource, resourceDetectors } = options;
  const sampling = createSampler(options.sampler, String(resource[ATTR_SERVICE_NAME]));
  const started = new sdk.TracerProvider({
    resource: createResource(resource, resourceDetectors),
    sampler: withTraceBeginnings(sampling.sampler),
    spanProcessors: [...ownProcessors(options), ...processors],
    spanLimits: {
      attributeCountLimit: limits.attributeCount,
      attributeValueLengthLimit: limits.attributeValueLength,
      eventCountLimit: limits.eventCount,
      linkCountLimit: limits.linkCount,
      attributePerEventCountLimit: limits.attributePerEventCount,
      attributePerLinkCountLimit: limits.attributePerLinkCount,
    },
    idGenerator: ids,
  });
  registerProvider(started);
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
      return started.shutdown();
    },
    finishedSpans: () => memory?.getFinishedSpans() ?? [],
    exportStatistics: () => paths.flatMap((path) => statisticsOf(path) ?? []),
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
