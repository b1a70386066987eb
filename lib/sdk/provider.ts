import type { TracerProvider } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME } from '@opentelemetry/semantic-conventions';
import { createExportPaths, exportSettings, statisticsOf } from '../export/exporters/exporters.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { ReadableSpan, SpanProcessor } from '../options/sdk-types.js';
import { createSampling } from '../sampling/create-sampling.js';
import { addCommonAttributes } from '../tracer/common-attributes.js';
import { copyBaggageToSpans } from '../tracer/baggage-attributes.js';
import { fixValues } from '../tracer/fix-values.js';
import { Pipeline } from '../tracer/pipeline.js';
import type { SpanLimits } from '../tracer/span-limits.js';
import type { ExportStatistics } from '../tracing.runtime.js';
import { LogPipeline } from './log-pipeline.js';
import { createResource, type Resource } from './resource.js';
import { createStockProvider } from './stock/stock-provider.js';

/** A tracer provider with the operations that are common to the library's own and a foreign one. */
export interface ProviderHandle {
  /** The pipeline of the spans. Undefined if another SDK has registered the provider. */
  readonly pipeline: Pipeline | undefined;
  /** The provider that creates the spans. Undefined if the library creates them itself. */
  readonly otherProvider: TracerProvider | undefined;
  /** Undefined if no log records are exported. */
  readonly logs: LogPipeline | undefined;
  forceFlush(): Promise<void>;
  /** Flushes for the last time before the process ends: no export is attempted a second time. */
  flushBeforeExit(): Promise<void>;
  shutdown(): Promise<void>;
  finishedSpans(): readonly ReadableSpan[];
  exportStatistics(): readonly ExportStatistics[];
}

/** Returns the handle of a provider that a preload or a vendor's agent has registered: it is used, and otherwise left alone. */
export function useForeignProvider(provider: TracerProvider, options: ResolvedOptions): ProviderHandle {
  const logs = createLogs(options, () => createResource(options.resource, options.resourceDetectors));
  const { forceFlush } = provider as { forceFlush?: () => Promise<void> };
  const flushSpans = () => forceFlush?.call(provider);
  const flush = () => finishAll([flushSpans, () => logs?.forceFlush()]);
  return {
    pipeline: undefined,
    otherProvider: provider,
    logs,
    forceFlush: flush,
    flushBeforeExit: () => finishAll([flushSpans, () => logs?.flushBeforeExit()]),
    // The other SDK shuts its provider down. But Nest may end the process as soon as its hooks are done, before that SDK exports.
    shutdown: async () => {
      try {
        await flush();
      } finally {
        await logs?.shutdown();
      }
    },
    finishedSpans: () => [],
    exportStatistics: () => [],
  };
}

/** Creates the pipeline of the spans as the options say. */
export function startPipeline(options: ResolvedOptions): ProviderHandle {
  const { memory, paths } = createExportPaths(options);
  const exporting = paths.map(({ processor }) => processor);
  const { baggage, fixedValues, spanAttributes, spanProcessors } = options;
  const resource = createResource(options.resource, options.resourceDetectors);
  const unfixValues = fixedValues && fixValues(fixedValues);
  const logs = createLogs(options, () => resource);
  const sampling = createSampling(options.sampler, String(options.resource[ATTR_SERVICE_NAME]));
  const pipeline = new Pipeline({
    sampling,
    limits: spanLimits(options.limits),
    resource,
    processors: [
      ...(spanAttributes ? [addCommonAttributes(spanAttributes)] : []),
      ...baggageProcessors(baggage.attributes),
      ...spanProcessors,
      ...exporting,
    ],
    isObserved: spanProcessors.length > 0 || options.exporters.some(({ type }) => type !== 'otlp'),
  });
  return {
    pipeline,
    otherProvider: options.tracer === 'sdk' ? createStockProvider(pipeline) : undefined,
    logs,
    forceFlush: () => finishAll([() => pipeline.forceFlush(), () => logs?.forceFlush()]),
    flushBeforeExit: async () => {
      pipeline.candidates?.decideAll();
      await finishAll([
        () => logs?.flushBeforeExit(),
        ...spanProcessors.map((processor) => () => processor.forceFlush()),
        ...exporting.map((processor) => () => processor.flushBeforeExit()),
      ]);
    },
    shutdown: async () => {
      unfixValues?.();
      sampling.stop();
      await finishAll([() => pipeline.shutdown(), () => logs?.shutdown()]);
    },
    finishedSpans: () => memory?.getFinishedSpans() ?? [],
    exportStatistics: () => paths.flatMap((path) => statisticsOf(path) ?? []),
  };
}

/** Waits until all of this is done. What fails, such as the export of logs, must not cut the rest. @throws the first failure, at the end */
async function finishAll(works: readonly (() => Promise<unknown> | undefined)[]): Promise<void> {
  const results = await Promise.allSettled(works.map(async (work) => work()));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function createLogs(options: ResolvedOptions, resource: () => Resource): LogPipeline | undefined {
  const { logs } = options;
  return logs?.export && new LogPipeline(logs, logs.export, resource(), exportSettings(options));
}

function spanLimits(limits: ResolvedOptions['limits']): SpanLimits {
  const { attributeValueLength: valueLength } = limits;
  return {
    attributes: { count: limits.attributeCount, valueLength },
    eventAttributes: { count: limits.attributePerEventCount, valueLength },
    linkAttributes: { count: limits.attributePerLinkCount, valueLength },
    eventCount: limits.eventCount,
    linkCount: limits.linkCount,
  };
}

function baggageProcessors(keys: readonly string[]): SpanProcessor[] {
  return keys.length > 0 ? [copyBaggageToSpans(keys)] : [];
}
