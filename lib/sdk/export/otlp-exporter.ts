import type { ResolvedOtlpExporter } from '../../options/otlp.js';
import type { SpanExporter } from '../../options/sdk-types.js';
import { urlPort } from '../../options/url-port.js';
import { withEnvironment } from '../environment.js';
import { HttpSender } from '../../export/otlp/http-sender.js';
import { JsonEncoder } from '../../export/otlp/json-encoder.js';
import { OtlpHttpExporter } from '../../export/otlp/otlp-http-exporter.js';
import { ProtobufEncoder } from '../../export/otlp/protobuf-encoder.js';
import { readTlsFiles, type TlsFiles } from '../../export/tls-files.js';
import type { Transport } from '../../export/transport.js';
import { GrpcConnections } from './grpc-connections.js';
import { loadFromSdk } from '../packages.js';

interface OtlpConfig {
  url: string;
  metadata?: GrpcMetadata;
  credentials?: unknown;
  timeoutMillis: number;
  compression: 'gzip' | 'none';
}

interface OtlpPackage {
  OTLPTraceExporter: new (config: OtlpConfig) => SpanExporter;
}

interface GrpcMetadata {
  set(key: string, value: string): void;
}

interface GrpcPackage {
  Metadata: new () => GrpcMetadata;
  credentials: {
    createInsecure(): object;
    createSsl(ca?: Buffer, key?: Buffer, cert?: Buffer): object;
  };
}

/** The maximal bytes of a message. By default, receivers take 4 MiB by gRPC and 20 MiB by HTTP. */
const MAX_MESSAGE = 4_000_000;

/** Exports at a time: the answers of earlier exports may be on their way when the next starts. */
const MAX_CONCURRENT = 4;

/** The variables that the exporter would read itself, by other rules: it would send a header that the library has refused. */
const NO_VARIABLES = Object.fromEntries(
  [
    'ENDPOINT',
    'INSECURE',
    'HEADERS',
    'TIMEOUT',
    'COMPRESSION',
    'CERTIFICATE',
    'CLIENT_CERTIFICATE',
    'CLIENT_KEY',
  ].flatMap((name) => [
    [`OTEL_EXPORTER_OTLP_${name}`, ''],
    [`OTEL_EXPORTER_OTLP_TRACES_${name}`, ''],
  ]),
);

/** Creates the SDK's OTLP exporter for the protocol of the options. */
export function createOtlpExporter(resolved: ResolvedOtlpExporter): Transport {
  const transport = withEnvironment(NO_VARIABLES, () =>
    resolved.protocol === 'grpc' ? createGrpcTransport(resolved) : createHttpTransport(resolved),
  );
  return { ...transport, maxMessageBytes: MAX_MESSAGE, maxConcurrent: MAX_CONCURRENT };
}

function createHttpTransport(resolved: ResolvedOtlpExporter): Transport {
  const { compression, headers, protocol, proxy, timeout, tls, url } = resolved;
  const address = new URL(url);
  const sender = new HttpSender({
    url: address,
    proxy: proxy === undefined ? undefined : new URL(proxy),
    tls: isSecure(address) ? readTlsFiles(tls) : {},
  });
  const encoder = protocol === 'http/json' ? new JsonEncoder() : new ProtobufEncoder();
  const exporter = new OtlpHttpExporter(sender, encoder, { headers, timeout, compression });
  return {
    exporter,
    stopRetrying: () => exporter.stopRetrying(),
    close: () => exporter.close(),
  };
}

function createGrpcTransport(resolved: ResolvedOtlpExporter): Transport {
  const { url, headers, timeout, compression, tls } = resolved;
  const { OTLPTraceExporter } = loadFromSdk<OtlpPackage>('@opentelemetry/exporter-trace-otlp-grpc');
  // The grpc-js of the exporter, which does not accept metadata of another copy.
  const grpc = loadFromSdk<GrpcPackage>('@grpc/grpc-js', '@opentelemetry/otlp-grpc-exporter-base');
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  const address = new URL(url);
  const connections = new GrpcConnections();
  const credentials = connections.watch(
    isSecure(address) ? secureCredentials(grpc, readTlsFiles(tls)) : grpc.credentials.createInsecure(),
  );
  // With the port in any case: grpc-js would connect to 443 without one, for http: as well.
  const target = `${address.hostname}:${urlPort(address)}`;
  return {
    exporter: new OTLPTraceExporter({ url: target, metadata, credentials, timeoutMillis: timeout, compression }),
    close: () => connections.close(),
  };
}

function secureCredentials(grpc: GrpcPackage, { ca, cert, key }: TlsFiles): object {
  return grpc.credentials.createSsl(ca, key, cert);
}

function isSecure({ protocol }: URL): boolean {
  return protocol === 'https:';
}
