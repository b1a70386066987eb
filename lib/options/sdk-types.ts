import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';

/** The span exporter of the SDK. Its type comes from `sdk-node`, because applications need not install another package of the SDK. */
export type SpanExporter = NodeSDKConfiguration['traceExporter'];

/** The sampler of the SDK. */
export type Sampler = NodeSDKConfiguration['sampler'];

/** A finished span, as an exporter receives it. */
export type ReadableSpan = Parameters<SpanExporter['export']>[0][number];

/** The span processor of the SDK. */
export type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
