import type http from 'node:http';
import type { ResolvedOtlpExporter } from '../../options/resolved-options.js';
import type { SpanExporter } from '../../tracing.options.js';
import { ExporterAgent } from './exporter-agent.js';
import { GrpcConnections } from './grpc-connections.js';
import { splitBySize } from './span-size.js';
import { loadFromSdk } from '../packages.js';
import { readTlsFiles } from './tls.js';
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

/**
 * The SDK's OTLP exporter for the protocol that was chosen.
 *
 * Every setting is given, since the exporter would read the variables again, by rules of its own.
 */
export function createOtlpExporter(resolved: ResolvedOtlpExporter): Transport {
  const transport = resolved.protocol === 'grpc' ? overGrpc(resolved) : overHttp(resolved);
  return { ...transport, split: (spans) => splitBySize(spans, MAX_MESSAGE) };
}

function overHttp(resolved: ResolvedOtlpExporter): Transport {
  const { protocol, url, headers, timeout, compression, tls } = resolved;
  const encoding = protocol === 'http/json' ? 'http' : 'proto';
  const { OTLPTraceExporter } = loadFromSdk<OtlpPackage>(`@opentelemetry/exporter-trace-otlp-${encoding}`);
  const connections = new ExporterAgent(new URL(url).protocol, readTlsFiles(tls));
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
  const { ca, cert, key } = readTlsFiles(tls);
  const connections = new GrpcConnections();
  const credentials = connections.watch(
    url.startsWith('https:') ? grpc.credentials.createSsl(ca, key, cert) : grpc.credentials.createInsecure(),
  );
  return {
    exporter: new OTLPTraceExporter({ url, metadata, credentials, timeoutMillis: timeout, compression }),
    close: () => connections.close(),
  };
}
