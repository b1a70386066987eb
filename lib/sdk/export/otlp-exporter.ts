import type http from 'node:http';
import type { ResolvedOtlpExporter } from '../../options/otlp.js';
import type { SpanExporter } from '../../options/sdk-types.js';
import { urlPort } from '../../options/url-port.js';
import { withEnvironment } from '../environment.js';
import { ExporterAgent } from './exporter-agent.js';
import { GrpcConnections } from './grpc-connections.js';
import { splitBySize } from './span-size.js';
import { loadFromSdk } from '../packages.js';
import { readTlsFiles, type TlsFiles } from './tls.js';
import type { Transport } from './transport.js';

interface OtlpConfig {
  url: string;
  headers?: Readonly<Record<string, string>>;
  metadata?: GrpcMetadata;
  credentials?: unknown;
  timeoutMillis: number;
  compression: 'gzip' | 'none';
  httpAgentOptions?: () => http.Agent;
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
  return { ...transport, split: (spans) => splitBySize(spans, MAX_MESSAGE) };
}

function createHttpTransport(resolved: ResolvedOtlpExporter): Transport {
  const { protocol, url, headers, timeout, compression, tls } = resolved;
  const encoding = protocol === 'http/json' ? 'http' : 'proto';
  const { OTLPTraceExporter } = loadFromSdk<OtlpPackage>(`@opentelemetry/exporter-trace-otlp-${encoding}`);
  const address = new URL(url);
  const connections = new ExporterAgent(address.protocol, isSecure(address) ? readTlsFiles(tls) : {});
  return {
    exporter: new OTLPTraceExporter({
      url,
      headers,
      timeoutMillis: timeout,
      compression,
      httpAgentOptions: () => connections.agent,
    }),
    stopRetrying: () => connections.stopRetrying(),
    isIdle: () => connections.isIdle(),
    close: () => connections.close(),
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
