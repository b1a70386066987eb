import { LOGS, TRACES, type ResolvedOtlpExporter } from '../../options/otlp-signal.js';
import { watchTlsFiles } from '../tls-files.js';
import type { Transport } from '../transport.js';
import type { EncodedSpan, OtlpEncoder } from './encoded-span.js';
import { failureHint } from './failure-hint.js';
import { GrpcSender } from './grpc-sender.js';
import { HttpConnections } from './http-connections.js';
import { HttpSender } from './http-sender.js';
import { JsonEncoder } from './json-encoder.js';
import { LogEncoder, type LogSerializers, type ReadableLogRecord, type WaitingLogRecord } from './log-encoder.js';
import { OtlpExporter } from './otlp-exporter.js';
import { ProtobufEncoder } from './protobuf-encoder.js';
import type { OtlpSender } from './sender.js';

/** The maximal bytes of a message. By default, receivers take 4 MiB by gRPC and 20 MiB by HTTP. */
const MAX_MESSAGE = 4_000_000;
/** The maximal estimated bytes of log records in a message: they are encoded at once when it leaves, which must not take long. */
const MAX_LOG_MESSAGE = 500_000;

/** Exports at a time: the answers of earlier exports may be on their way when the next starts. */
const MAX_CONCURRENT = 4;

/** The methods of gRPC that take spans and log records. */
const TRACES_METHOD = '/opentelemetry.proto.collector.trace.v1.TraceService/Export';
const LOGS_METHOD = '/opentelemetry.proto.collector.logs.v1.LogsService/Export';

/** Creates the way to a receiver of OTLP. */
export function createOtlpTransport(resolved: ResolvedOtlpExporter): Transport<EncodedSpan> {
  return resolved.protocol === 'http/json'
    ? connect(resolved, new JsonEncoder())
    : connect(resolved, new ProtobufEncoder());
}

/** Creates the way of log records to a receiver of OTLP. */
export function createLogTransport(
  resolved: ResolvedOtlpExporter,
  serializers: LogSerializers,
): Transport<WaitingLogRecord, ReadableLogRecord> {
  const encoder = new LogEncoder(resolved.protocol, serializers);
  const sender = createSender(resolved, encoder.contentType, LOGS_METHOD);
  return {
    ...control(new OtlpExporter(encoder, sender, resolved.timeout)),
    prepare: (record) => encoder.prepare(record),
    maxMessageBytes: MAX_LOG_MESSAGE,
    hintFor: (error) => failureHint(resolved, error, LOGS),
  };
}

function connect<Encoded extends EncodedSpan>(
  resolved: ResolvedOtlpExporter,
  encoder: OtlpEncoder<Encoded>,
): Transport<Encoded> {
  const sender = createSender(resolved, encoder.contentType, TRACES_METHOD);
  const transport = toTransport(new OtlpExporter(encoder, sender, resolved.timeout), encoder);
  return { ...transport, hintFor: (error) => failureHint(resolved, error, TRACES) };
}

/** Returns the way on which encoded spans leave. */
export function toTransport<Encoded extends EncodedSpan>(
  exporter: OtlpExporter<Encoded>,
  encoder: OtlpEncoder<Encoded>,
): Transport<Encoded> {
  return { ...control(exporter), prepare: (span) => encoder.encodeSpan(span), maxMessageBytes: MAX_MESSAGE };
}

/** The exporter of a transport, and the control of its connections. */
function control<Item extends object>(exporter: OtlpExporter<Item>) {
  return {
    exporter,
    maxConcurrent: MAX_CONCURRENT,
    isSilentFor: (time: number) => exporter.isSilentFor(time),
    watchReach: (report: (error: unknown) => void) => void (exporter.onUnreached = report),
    stopRetrying: () => exporter.stopRetrying(),
    close: () => exporter.close(),
  };
}

function createSender(
  { compression, headers, protocol, proxy, tls: files, url }: ResolvedOtlpExporter,
  contentType: string,
  method: string,
): OtlpSender {
  const address = new URL(url);
  const tls = address.protocol === 'https:' ? watchTlsFiles(files) : undefined;
  const way = { url: address, proxy: proxy === undefined ? undefined : new URL(proxy), tls };
  if (protocol === 'grpc') return new GrpcSender({ ...way, method, metadata: headers, compression });
  const connections = new HttpConnections(way);
  return new HttpSender(connections, { headers, contentType, compression });
}
