import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';

/** The SDK's span exporter, by way of the one SDK package that users install. */
export type SpanExporter = NodeSDKConfiguration['traceExporter'];

/** The SDK's sampler. */
export type Sampler = NodeSDKConfiguration['sampler'];

/** A finished span as exporters see it. */
export type ReadableSpan = Parameters<SpanExporter['export']>[0][number];
