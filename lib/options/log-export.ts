import { checkKeys } from './check-keys.js';
import type { OtlpExporterOptions } from './otlp.js';
import {
  LOGS,
  OTLP_SETTINGS,
  resolveSignal,
  type OtlpCompression,
  type OtlpProtocol,
  type ResolvedOtlpExporter,
} from './otlp-signal.js';
import { readOption } from './setting.js';
import type { NumberOption } from './text-types.js';

/** The export of log records over OTLP. */
export interface LogExportOptions {
  /**
   * The encoding and the transport.
   * @default `OTEL_EXPORTER_OTLP_LOGS_PROTOCOL`, the protocol that `exporter` names, `OTEL_EXPORTER_OTLP_PROTOCOL`, else `http/protobuf`
   */
  protocol?: OtlpProtocol | undefined;
  /**
   * Base address of the receiver. With HTTP, `/v1/logs` is added unless the path ends with it.
   * @default `OTEL_EXPORTER_OTLP_LOGS_ENDPOINT` without any addition, the address that `exporter` names, else
   *   `OTEL_EXPORTER_OTLP_ENDPOINT` as a base address, else `http://localhost:4318` (HTTP) or `http://localhost:4317` (gRPC)
   */
  endpoint?: string | undefined;
  /**
   * Headers of each export, or metadata with gRPC. They are added to those of `exporter` and of the variables.
   * @default `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_LOGS_HEADERS`
   */
  headers?: Readonly<Record<string, string | number | undefined>> | undefined;
  /**
   * Longest time of one export including its retries, in milliseconds.
   * @default `OTEL_EXPORTER_OTLP_LOGS_TIMEOUT`, that of `exporter`, `OTEL_EXPORTER_OTLP_TIMEOUT`, else 10000
   */
  timeout?: NumberOption | undefined;
  /**
   * The compression of an export.
   * @default `OTEL_EXPORTER_OTLP_LOGS_COMPRESSION`, that of `exporter`, `OTEL_EXPORTER_OTLP_COMPRESSION`, else `none`
   */
  compression?: OtlpCompression | undefined;
}

/**
 * Resolves the OTLP exporter of log records. What neither an option nor a variable of logs says is as for spans.
 *
 * @param ofSpans the OTLP exporter of spans that is given in code, with the name of its option
 */
export function resolveLogExporter(
  path: string,
  given: LogExportOptions,
  ofSpans: { readonly path: string; readonly options: Partial<OtlpExporterOptions> } | undefined,
  env: NodeJS.ProcessEnv,
): ResolvedOtlpExporter {
  const options = checkKeys<LogExportOptions>(path, given, OTLP_SETTINGS);
  const settings = (key: keyof LogExportOptions) => [
    readOption(`${path}.${key}`, options[key]),
    ofSpans && readOption(`${ofSpans.path}.${key}`, ofSpans.options[key]),
  ];
  return resolveSignal(LOGS, settings, env);
}
