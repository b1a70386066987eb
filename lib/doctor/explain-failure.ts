import type { ResolvedOtlpExporter } from '../options/otlp-signal.js';
import { urlPort } from '../options/url-port.js';

const JAEGER = 'docker run --rm -p 16686:16686 -p 4318:4318 jaegertracing/jaeger:2.20.0';
const PORTS = 'Port 4318 is for HTTP, and port 4317 for gRPC (OTEL_EXPORTER_OTLP_PROTOCOL=grpc).';

/** What Node says of an answer in another protocol. */
const OTHER_PROTOCOL =
  /no gRPC server|Parse Error|ERR_HTTP2|Protocol error|HPE_|ECONNRESET|socket hang up|closed without/i;

/** The status codes of HTTP and gRPC of which the exporter has no hint, with what to do. */
const FIXES: Readonly<Record<string, string>> = {
  404: 'The path is wrong. OTEL_EXPORTER_OTLP_ENDPOINT is a base address, to which /v1/traces is added; OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is used as it is.',
  405: 'The address is no receiver of OTLP. Correct OTEL_EXPORTER_OTLP_ENDPOINT.',
  415: 'The receiver takes another encoding: set OTEL_EXPORTER_OTLP_PROTOCOL to http/protobuf or http/json.',
  429: 'The receiver wants fewer spans: lower the ratio of the sampler, or raise the quota.',
  12: 'The server has no service for traces. Correct OTEL_EXPORTER_OTLP_ENDPOINT.',
};

/**
 * Returns what to do about a failed export.
 *
 * @param hint what the exporter says may help, if it knows anything
 */
export function explainFailure(
  { protocol, url }: ResolvedOtlpExporter,
  failure: Error | undefined,
  hint: string | undefined,
): string {
  const code = String((failure as { code?: string | number } | undefined)?.code ?? '');
  const port = urlPort(new URL(url));
  const isGrpc = protocol === 'grpc';
  const isSwapped = port === (isGrpc ? 4318 : 4317);
  if (code === 'ECONNREFUSED') {
    const swapped = isSwapped ? `${PORTS} ` : '';
    return `${swapped}Nothing listens there. Start a receiver (${JAEGER}), or set OTEL_EXPORTER_OTLP_ENDPOINT.`;
  }
  if (OTHER_PROTOCOL.test(`${code} ${failure?.message ?? ''}`)) {
    return `The server does not answer as ${isGrpc ? 'gRPC' : 'HTTP/1.1'}. ${PORTS}`;
  }
  if (/^3\d\d$/.test(code)) return 'Set OTEL_EXPORTER_OTLP_ENDPOINT to the address that the redirect leads to.';
  return hint ?? FIXES[code] ?? (isSwapped ? PORTS : 'Look at the log of the receiver.');
}
