import { checkKeys } from './check-keys.js';
import {
  OTLP_SETTINGS,
  resolveSignal,
  TRACES,
  type OtlpCompression,
  type OtlpProtocol,
  type ResolvedOtlpExporter,
} from './otlp-signal.js';
import { readOption } from './setting.js';
import type { NumberOption } from './text-types.js';

/** The OpenTelemetry protocol (OTLP), which Jaeger, Tempo, the Collector and every vendor accept. */
export interface OtlpExporterOptions {
  type: 'otlp';
  /**
   * The transport and the encoding.
   * @default `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL`, `OTEL_EXPORTER_OTLP_PROTOCOL`, else `http/protobuf`
   */
  protocol?: OtlpProtocol | undefined;
  /**
   * Base address of the receiver. With HTTP, `/v1/traces` is added unless the path ends with it. With gRPC, the address may be
   * `host:port`: the connection then uses TLS unless `OTEL_EXPORTER_OTLP_TRACES_INSECURE` or `OTEL_EXPORTER_OTLP_INSECURE` is
   * `true`.
   * @default `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` without any addition, else `OTEL_EXPORTER_OTLP_ENDPOINT` as a base address,
   *   else `http://localhost:4318` (HTTP) or `http://localhost:4317` (gRPC)
   */
  endpoint?: string | undefined;
  /**
   * Headers of each export, or metadata with gRPC, such as an API key. They are added to the headers of the variables. A
   * header without a value is left out.
   * @default `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_TRACES_HEADERS`
   */
  headers?: Readonly<Record<string, string | number | undefined>> | undefined;
  /**
   * Longest time of one export including its retries, in milliseconds.
   * @default `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT`, else 10000
   */
  timeout?: NumberOption | undefined;
  /**
   * The compression of an export.
   * @default `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION`, `OTEL_EXPORTER_OTLP_COMPRESSION`, else `none`
   */
  compression?: OtlpCompression | undefined;
}

/**
 * Resolves an OTLP exporter of spans.
 *
 * @param path the name of the option
 * @param given the value of the option; an empty object if the exporter was chosen by its name
 */
export function resolveOtlp(path: string, given: object, env: NodeJS.ProcessEnv): ResolvedOtlpExporter {
  const options = checkKeys<OtlpExporterOptions>(path, given, { type: true, ...OTLP_SETTINGS });
  return resolveSignal(TRACES, (key) => [readOption(`${path}.${key}`, options[key])], env);
}
