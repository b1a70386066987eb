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

/** Bytes of a message. Receivers take 4 MiB by gRPC unless they are told otherwise, 20 MiB by HTTP. */
const MAX_MESSAGE = 4_000_000;

/** The settings that the exporter would read again, by rules of its own: it would send a header that has been refused. */
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

/** The SDK's OTLP exporter for the protocol that was chosen. Every setting is given. */
export function createOtlpExporter(resolved: ResolvedOtlpExporter): Transport {
  const transport = withEnvironment(NO_VARIABLES, () =>
    resolved.protocol === 'grpc' ? overGrpc(resolved) : overHttp(resolved),
  );
  return { ...transport, split: (spans) => splitBySize(spans, MAX_MESSAGE) };
}

function overHttp(resolved: ResolvedOtlpExporter): Transport {
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

function overGrpc(resolved: ResolvedOtlpExporter): Transport {
  const { url, headers, timeout, compression, tls } = resolved;
  const { OTLPTraceExporter } = loadFromSdk<OtlpPackage>('@opentelemetry/exporter-trace-otlp-grpc');
  // The grpc-js that the exporter itself uses: it would not accept the metadata of another copy.
  const grpc = loadFromSdk<GrpcPackage>('@grpc/grpc-js', '@opentelemetry/otlp-grpc-exporter-base');
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries(headers)) metadata.set(key, value);
  const address = new URL(url);
  const connections = new GrpcConnections();
  const credentials = connections.watch(
    isSecure(address) ? secureCredentials(grpc, readTlsFiles(tls)) : grpc.credentials.createInsecure(),
  );
  // By the port that the address means: grpc-js would take 443 also for http:.
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
