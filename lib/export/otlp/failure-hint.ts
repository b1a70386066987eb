import type { OtlpSignal, ResolvedOtlpExporter } from '../../options/otlp-signal.js';
import { connectionHint } from './connection-hint.js';
import { ConnectionError, ProxyError, RefusedError, WEB_PAGE } from './sender.js';

type Destination = Pick<ResolvedOtlpExporter, 'headers' | 'protocol' | 'proxy' | 'url'>;

const HTTP_PORT = '4318';
const GRPC_PORT = '4317';

/** The statuses of HTTP and of gRPC with which a receiver asks for other credentials. */
const NEEDS_CREDENTIALS = { http: [401, 403], grpc: [16, 7] };
const UNKNOWN_OF_GRPC = 2;

const SETTINGS = {
  elsewhere: "set OTEL_EXPORTER_OTLP_ENDPOINT, or see the traces with exporter: 'console'",
  authorities: 'OTEL_EXPORTER_OTLP_CERTIFICATE',
  clientCertificate: 'OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and OTEL_EXPORTER_OTLP_CLIENT_KEY',
};

/** Returns what may help against the failure of an export of a signal, as one sentence or two. Undefined if nothing is known. */
export function failureHint(destination: Destination, error: unknown, signal: OtlpSignal): string | undefined {
  const { proxy, url } = destination;
  const ofConnection = () => connectionHint({ url, proxy, ...SETTINGS }, error);
  if (error instanceof ProxyError) return ofConnection();
  if (error instanceof RefusedError)
    return refusalHint(destination, error, signal) ?? portHint(destination, error) ?? ofConnection();
  return error instanceof ConnectionError ? (portHint(destination, error) ?? ofConnection()) : undefined;
}

function refusalHint(
  { headers, protocol, url }: Destination,
  { code }: RefusedError,
  { path }: OtlpSignal,
): string | undefined {
  const statuses = protocol === 'grpc' ? NEEDS_CREDENTIALS.grpc : NEEDS_CREDENTIALS.http;
  if (statuses.includes(Number(code))) {
    const names = Object.keys(headers);
    const where = 'OTEL_EXPORTER_OTLP_HEADERS, or "headers" of the exporter';
    return names.length === 0
      ? `No credentials are sent: set ${where}.`
      : `It does not accept what is sent in: ${names.join(', ')}. Correct ${where}.`;
  }
  const { pathname } = new URL(url);
  if (protocol === 'grpc' || (code !== 404 && code !== WEB_PAGE)) return undefined;
  if (pathname !== path) return `There is no receiver at the path ${pathname}: most have it at ${path}.`;
  return undefined;
}

/** Each protocol has a usual port, and fails in an obscure way at that of the other one. */
function portHint({ protocol, url }: Destination, { code }: ConnectionError | RefusedError): string | undefined {
  const { port } = new URL(url);
  if (protocol === 'grpc') {
    const isUnanswered = typeof code !== 'number' || code === UNKNOWN_OF_GRPC;
    if (port !== HTTP_PORT || !isUnanswered) return undefined;
    return `Port ${HTTP_PORT} is usually that of OTLP over HTTP: use port ${GRPC_PORT}, or the protocol http/protobuf.`;
  }
  if (port !== GRPC_PORT) return undefined;
  return `Port ${GRPC_PORT} is usually that of OTLP over gRPC: use port ${HTTP_PORT}, or the protocol grpc.`;
}
