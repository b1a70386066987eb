import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import type { SpanExporter } from '../options/sdk-types.js';

// Types of sdk-node, the one package of the SDK that an application installs: the declarations of the library must not import a
// package that an application may not have.

/** A span processor of the SDK. */
export type SpanProcessor = NonNullable<NodeSDKConfiguration['spanProcessors']>[number];
/** A resource of the SDK. */
export type Resource = NodeSDKConfiguration['resource'];
/** The result with which an exporter calls back. */
export type ExportResult = Parameters<ExportCallback>[0];
/** The function that an exporter calls when it is done. */
export type ExportCallback = Parameters<SpanExporter['export']>[1];

/** `ExportResultCode.SUCCESS` of the SDK. */
export const SUCCESS = 0;
/** `ExportResultCode.FAILED` of the SDK. */
export const FAILED = 1;
