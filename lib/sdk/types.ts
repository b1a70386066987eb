import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { SpanExporter } from '../options/sdk-types.js';

// By way of sdk-node, the one SDK package that users install: our declarations must not name a package they may not have.

/** The SDK's span processor. */
export type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
/** The SDK's resource. */
export type Resource = NodeSDKConfiguration['resource'];
/** What an exporter is called back with. */
export type ExportResult = Parameters<ExportCallback>[0];
/** How an exporter says that it is done. */
export type ExportCallback = Parameters<SpanExporter['export']>[1];

/** `ExportResultCode.SUCCESS` of the SDK. */
export const SUCCESS = 0;
/** `ExportResultCode.FAILED` of the SDK. */
export const FAILED = 1;
