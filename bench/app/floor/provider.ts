import { context, propagation, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  NoopSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import type { BenchOptions } from '../setup.js';

/** Sets up the stock SDK with the defaults of the specification. */
export function registerProvider({ endpoint, noExport, queue, ratio }: BenchOptions): TracerProvider {
  const root = ratio === undefined ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(ratio);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'bench' }),
    sampler: new ParentBasedSampler({ root }),
    spanProcessors: [noExport ? new NoopSpanProcessor() : batchProcessor(endpoint, queue)],
  });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  );
  return provider;
}

function batchProcessor(endpoint: string, queue: number | undefined): BatchSpanProcessor {
  const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
  return new BatchSpanProcessor({ exporter, ...(queue !== undefined && { maxQueueSize: queue }) });
}
