import type http from 'node:http';
import type { ResolvedOtlpExporter } from '../../options/resolved-options.js';
import type { SpanExporter } from '../../tracing.options.js';
import { ExporterAgent } from './exporter-agent.js';
import { GrpcConnections } from './grpc-connections.js';
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

/**
 * The SDK's OTLP exporter for the protocol that was chosen.
 *
 * Every setting is given, since the exporter would read the variables again, by rules of its own.
 */
export function createOtlpExporter(resolved: ResolvedOtlpExporter): Transport {
  return resolved.protocol === 'grpc' ? overGrpc(resolved) : overHttp(resolved);
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
