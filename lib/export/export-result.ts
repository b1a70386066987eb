import type { SpanExporter } from '../options/sdk-types.js';

/** The function that an exporter calls when it is done. */
export type ExportCallback = Parameters<SpanExporter['export']>[1];
/** The result with which an exporter calls back. */
export type ExportResult = Parameters<ExportCallback>[0];

/** `ExportResultCode.SUCCESS` of the SDK. */
export const SUCCESS = 0;
/** `ExportResultCode.FAILED` of the SDK. */
export const FAILED = 1;
