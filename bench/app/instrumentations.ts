import { createRequire } from 'node:module';
import process from 'node:process';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
import type { BenchOptions } from './setup.js';

type Instrumentations = NonNullable<ConstructorParameters<typeof NodeSDK>[0]>['instrumentations'];

/** The key of the function that exports waiting spans. */
export const FLUSH = Symbol.for('bench.flush');

const load = createRequire(import.meta.url);

const {
  endpoint,
  instrumentations = 'framework',
  platform,
  queue,
  ratio,
} = JSON.parse(process.env.BENCH ?? '{}') as BenchOptions;

const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces` });
const processor = new BatchSpanProcessor({ exporter, ...(queue !== undefined && { maxQueueSize: queue }) });
new NodeSDK({
  serviceName: 'bench',
  autoDetectResources: false,
  spanProcessors: [processor],
  ...(ratio !== undefined && { sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }) }),
  instrumentations: choose(),
  metricReaders: [],
}).start();
(globalThis as { [FLUSH]?: () => Promise<void> })[FLUSH] = () => processor.forceFlush();

/** The instrumentations to preload, before the modules that they patch, as OpenTelemetry's documentation shows it. */
function choose(): Instrumentations {
  if (instrumentations === 'grpc') return [make('@opentelemetry/instrumentation-grpc', 'GrpcInstrumentation')];
  const http = make('@opentelemetry/instrumentation-http', 'HttpInstrumentation');
  if (instrumentations === 'http') return [http];
  return [http, frameworkInstrumentation(), make('@opentelemetry/instrumentation-nestjs-core', 'NestInstrumentation')];
}

function frameworkInstrumentation() {
  if (platform === 'express') return make('@opentelemetry/instrumentation-express', 'ExpressInstrumentation');
  // The predecessor of @fastify/otel. It has no effect if Fastify is imported as an ES module.
  if (instrumentations === 'fastify-classic') {
    return make('@opentelemetry/instrumentation-fastify', 'FastifyInstrumentation');
  }
  const instrumentHooks = instrumentations === 'fastify-hooks';
  return make('@fastify/otel', 'FastifyOtelInstrumentation', { registerOnInitialization: true, instrumentHooks });
}

function make(name: string, className: string, options: object = {}) {
  const { [className]: Instrumentation } = load(name) as Record<string, new (options: object) => never>;
  if (!Instrumentation) throw new Error(`${name} has no ${className}.`);
  return new Instrumentation(options);
}
