import type { ResolvedExporter } from '../../options/exporter.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import type { SpanExporter } from '../../options/sdk-types.js';
import type { Component } from '../../tracing.runtime.js';
import { BoundedProcessor, type Bounds } from './bounded-processor.js';
import { ConsoleSpanExporter } from '../console/console-exporter.js';
import { createJaegerExporter } from './jaeger-exporter.js';
import { MemorySpanExporter } from './memory-exporter.js';
import { createOtlpExporter } from './otlp-exporter.js';
import { loadFromSdk } from '../packages.js';
import { publicAddress } from '../public-address.js';
import { ReportingExporter } from './reporting-exporter.js';
import type { Transport } from './transport.js';
import type { SpanProcessor } from '../types.js';

interface ProcessorPackage {
  BatchSpanProcessor: new (config: {
    exporter: SpanExporter;
    maxQueueSize: number;
    maxExportBatchSize: number;
    scheduledDelayMillis: number;
    exportTimeoutMillis: number;
  }) => SpanProcessor;
  SimpleSpanProcessor: new (config: { exporter: SpanExporter }) => SpanProcessor;
}

/** Estimated bytes of spans that may always be held. */
const MIN_QUEUE_BYTES = 64 * 2 ** 20;
/** A larger queue may hold this much for each of its spans: twice what a span of many long texts has. */
const BYTES_PER_QUEUED_SPAN = 8 * 2 ** 10;

/** The way of a finished span to each exporter, and the `memory` exporter if it is one of them. */
export function createSpanProcessors(options: ResolvedOptions): {
  processors: BoundedProcessor[];
  memory: MemorySpanExporter | undefined;
} {
  let memory: MemorySpanExporter | undefined;
  const bounds = boundsOf(options);
  const immediate = (transport: Transport, destination: string) => {
    const exporter = new ReportingExporter(transport, destination, options.batch.exportTimeout, Infinity);
    return new BoundedProcessor(unbatched(exporter), exporter, transport, bounds);
  };
  const processors = options.exporters.map((resolved, index) => {
    if (resolved.type === 'console') return immediate({ exporter: new ConsoleSpanExporter() }, 'the console');
    if (resolved.type === 'memory') return immediate({ exporter: (memory ??= new MemorySpanExporter()) }, 'the memory');
    const { transport, destination } = connect(resolved);
    // Tests look for a span in their exporter as soon as it has ended, not when the next batch leaves.
    if (keepsSpans(transport.exporter)) return immediate(transport, destination);
    const exporter = new ReportingExporter(transport, destination, options.batch.exportTimeout);
    return new BoundedProcessor(batched(exporter, options), exporter, transport, bounds, {
      processor: component('batching_span_processor', index),
      exporter: component(typeOf(resolved), index),
    });
  });
  return { processors, memory };
}

function connect(resolved: Exclude<ResolvedExporter, { type: 'console' | 'memory' }>): {
  transport: Transport;
  destination: string;
} {
  switch (resolved.type) {
    case 'otlp':
      return { transport: createOtlpExporter(resolved), destination: publicAddress(resolved.url) };
    case 'jaeger': {
      const destination =
        'endpoint' in resolved ? publicAddress(resolved.endpoint) : `${resolved.host}:${resolved.port}`;
      return { transport: createJaegerExporter(resolved), destination };
    }
    case 'custom':
      return {
        transport: { exporter: resolved.exporter },
        destination: nameOf(resolved.exporter),
      };
  }
}

/** What OpenTelemetry's conventions call this kind of exporter. */
function typeOf(resolved: Exclude<ResolvedExporter, { type: 'console' | 'memory' }>): string {
  switch (resolved.type) {
    case 'otlp':
      return `otlp_${{ 'http/protobuf': 'http', 'http/json': 'http_json', grpc: 'grpc' }[resolved.protocol]}_span_exporter`;
    case 'jaeger':
      return 'jaeger_span_exporter';
    case 'custom':
      return nameOf(resolved.exporter);
  }
}

function component(type: string, index: number): Component {
  return { type, name: `${type}/${index}` };
}

function nameOf(exporter: SpanExporter): string {
  const name = exporter.constructor?.name;
  return name && name !== 'Object' ? name : 'the exporter';
}

function keepsSpans(exporter: SpanExporter): boolean {
  return 'getFinishedSpans' in exporter && typeof exporter.getFinishedSpans === 'function';
}

function boundsOf({ batch: { maxQueueSize }, shutdown }: ResolvedOptions): Bounds {
  const maxBytes = Math.max(MIN_QUEUE_BYTES, maxQueueSize * BYTES_PER_QUEUED_SPAN);
  return { maxQueueSize, maxBytes, shutdownTimeout: shutdown.timeout };
}

function unbatched(exporter: SpanExporter): SpanProcessor {
  const { SimpleSpanProcessor } = sdkTrace();
  return new SimpleSpanProcessor({ exporter });
}

function batched(exporter: SpanExporter, { batch }: ResolvedOptions): SpanProcessor {
  const { BatchSpanProcessor } = sdkTrace();
  return new BatchSpanProcessor({
    exporter,
    maxQueueSize: batch.maxQueueSize,
    maxExportBatchSize: batch.maxExportBatchSize,
    scheduledDelayMillis: batch.scheduledDelay,
    exportTimeoutMillis: batch.exportTimeout,
  });
}

function sdkTrace(): ProcessorPackage {
  return loadFromSdk<ProcessorPackage>('@opentelemetry/sdk-trace');
}
