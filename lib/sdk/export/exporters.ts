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

/** The estimated bytes of spans that a queue of any size may hold. */
const MIN_QUEUE_BYTES = 64 * 2 ** 20;
/** The estimated bytes that a large queue may hold for each of its spans: twice those of a span with many long strings. */
const BYTES_PER_QUEUED_SPAN = 8 * 2 ** 10;

/** Creates the processor of each exporter. Returns the `memory` exporter as well, if it is one of them. */
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
    // A test reads a span from its exporter as soon as the span has ended, not when the next batch is exported.
    if (keepsSpans(transport.exporter)) return immediate(transport, destination);
    const exporter = new ReportingExporter(transport, destination, options.batch.exportTimeout);
    return new BoundedProcessor(batched(exporter, options), exporter, transport, bounds, {
      processor: component('batching_span_processor', index),
      exporter: component(componentType(resolved), index),
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
        destination: exporterClassName(resolved.exporter),
      };
  }
}

/** Returns the type of an exporter in OpenTelemetry's conventions. */
function componentType(resolved: Exclude<ResolvedExporter, { type: 'console' | 'memory' }>): string {
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

function exporterClassName(exporter: SpanExporter): string {
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
