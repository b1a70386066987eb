import type { ResolvedExporter } from '../../options/exporter.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { createOtlpTransport } from '../otlp/otlp-transport.js';
import type { ExportSettings } from '../batch-exporter.js';
import { ExportProcessor } from '../export-processor.js';
import type { SpanQueue } from '../span-queue.js';
import type { Transport } from '../transport.js';
import type { Component, ExportStatistics } from '../../tracing.runtime.js';
import { ConsoleSpanExporter } from '../console/console-exporter.js';
import { createAgentTransport, createCollectorTransport } from './jaeger-exporter.js';
import { MemorySpanExporter } from './memory-exporter.js';
import { destinationOf, exporterClassName } from './destination.js';

/** The estimated bytes of spans that a queue of any size may hold. */
const MIN_QUEUE_BYTES = 64 * 2 ** 20;
/** The estimated bytes that a large queue may hold for each of its spans: twice those of a span with many long strings. */
const BYTES_PER_QUEUED_SPAN = 8 * 2 ** 10;

/** An exporter that sends spans out of this process. */
type RemoteExporter = Exclude<ResolvedExporter, { type: 'console' | 'memory' }>;

type QueueCounts = Pick<SpanQueue<never>, 'limits' | 'outcomes' | 'takenTotal' | 'waiting'>;

/** The way of finished spans to one exporter. */
export interface ExportPath {
  readonly processor: Omit<ExportProcessor<never>, 'queue'> & { readonly queue: QueueCounts };
  /** Undefined if nothing is counted: the exporter keeps the spans in this process. */
  readonly components: Pick<ExportStatistics, 'processor' | 'exporter'> | undefined;
}

/** Creates the path to each exporter. Returns the `memory` exporter as well, if it is one of them. */
export function createExportPaths(options: ResolvedOptions): {
  paths: ExportPath[];
  memory: MemorySpanExporter | undefined;
} {
  let memory: MemorySpanExporter | undefined;
  const settings = exportSettings(options);
  const immediate = (transport: Transport, destination: string): ExportPath => {
    const processor = new ExportProcessor(transport, destination, { ...settings, delay: undefined });
    return { processor, components: undefined };
  };
  const batching = <Item extends object>(
    transport: Transport<Item>,
    destination: string,
    resolved: RemoteExporter,
    index: number,
  ): ExportPath => ({
    processor: new ExportProcessor(transport, destination, settings),
    components: {
      processor: component('batching_span_processor', index),
      exporter: component(componentType(resolved), index),
    },
  });
  const paths = options.exporters.map((resolved, index) => {
    const destination = destinationOf(resolved);
    if (resolved.type === 'console') return immediate(consoleTransport(), destination);
    if (resolved.type === 'memory') return immediate({ exporter: (memory ??= new MemorySpanExporter()) }, destination);
    if (resolved.type === 'otlp') return batching(createOtlpTransport(resolved), destination, resolved, index);
    if (resolved.type === 'jaeger') {
      return 'endpoint' in resolved
        ? batching(createCollectorTransport(resolved), destination, resolved, index)
        : batching(createAgentTransport(resolved), destination, resolved, index);
    }
    const { exporter } = resolved;
    // A test reads a span from its exporter as soon as the span has ended, not when the next batch is exported.
    return keepsSpans(exporter)
      ? immediate({ exporter }, destination)
      : batching({ exporter }, destination, resolved, index);
  });
  return { paths, memory };
}

function consoleTransport(): Transport {
  const exporter = new ConsoleSpanExporter();
  return { exporter, onStart: (span) => exporter.onStart(span) };
}

/** Returns the statistics of a path. Undefined if nothing is counted. */
export function statisticsOf({ components, processor: { queue } }: ExportPath): ExportStatistics | undefined {
  if (!components) return undefined;
  const { dropped, exported, failures } = queue.outcomes;
  const { limits, takenTotal: taken, waiting: queued } = queue;
  return { ...components, taken, exported, failed: failures, dropped, queued, capacity: limits.maxSpans };
}

/** Returns the type of an exporter in OpenTelemetry's conventions. */
function componentType(resolved: RemoteExporter): string {
  switch (resolved.type) {
    case 'otlp':
      return `otlp_${{ 'http/protobuf': 'http', 'http/json': 'http_json', grpc: 'grpc' }[resolved.protocol]}_span_exporter`;
    case 'jaeger':
      return 'jaeger_span_exporter';
    case 'custom':
      return exporterClassName(resolved.exporter);
  }
}

function component(type: string, index: number): Component {
  return { type, name: `${type}/${index}` };
}

function keepsSpans(exporter: object): boolean {
  return 'getFinishedSpans' in exporter && typeof exporter.getFinishedSpans === 'function';
}

/** Returns what the options say about batches, for spans and log records. */
export function exportSettings({ batch, shutdown }: ResolvedOptions): ExportSettings {
  const { exportTimeout, maxExportBatchSize, maxQueueSize, scheduledDelay } = batch;
  return {
    maxSpans: maxQueueSize,
    maxBytes: Math.max(MIN_QUEUE_BYTES, maxQueueSize * BYTES_PER_QUEUED_SPAN),
    maxBatchSize: maxExportBatchSize,
    delay: scheduledDelay,
    exportTimeout,
    shutdownTimeout: shutdown.timeout,
  };
}
