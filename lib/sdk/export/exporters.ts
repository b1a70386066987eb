import type { ResolvedExporter, ResolvedOptions } from '../../options/resolved-options.js';
import type { SpanExporter } from '../../tracing.options.js';
import type { Component } from '../../tracing.runtime.js';
import { BoundedProcessor } from './bounded-processor.js';
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

/** The way of a finished span to each exporter, and the `memory` exporter if it is one of them. */
export function createSpanProcessors(options: ResolvedOptions): {
  processors: SpanProcessor[];
  memory: MemorySpanExporter | undefined;
} {
  let memory: MemorySpanExporter | undefined;
  const processors = options.exporters.map((resolved, index) => {
    if (resolved.type === 'console') return immediate(new ConsoleSpanExporter());
    if (resolved.type === 'memory') return immediate((memory ??= new MemorySpanExporter()));
    const { transport, destination } = connect(resolved);
    const { exportTimeout } = options.batch;
    // Tests look for a span in their exporter as soon as it has ended, not when the next batch leaves.
    if (keepsSpans(transport.exporter)) {
      return immediate(new ReportingExporter(transport, destination, exportTimeout, Infinity));
    }
    const exporter = new ReportingExporter(transport, destination, exportTimeout);
    return new BoundedProcessor(
      batched(exporter, options),
      exporter,
      transport,
      { maxQueueSize: options.batch.maxQueueSize, shutdownTimeout: options.shutdown.timeout },
      { processor: component('batching_span_processor', index), exporter: component(typeOf(resolved), index) },
    );
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

function immediate(exporter: SpanExporter): SpanProcessor {
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
