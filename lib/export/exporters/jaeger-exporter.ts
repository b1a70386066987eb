import { JAEGER_PACKAGE } from '../../options/jaeger.js';
import type { ResolvedExporter } from '../../options/exporter.js';
import type { SpanExporter } from '../../options/sdk-types.js';
import { withEnvironment } from '../../packages/environment.js';
import { loadOptional } from '../../packages/optional.js';
import { JaegerEncoder, type JaegerSpan } from '../jaeger/jaeger-encoder.js';
import { connectionHint } from '../otlp/connection-hint.js';
import { HttpConnections } from '../otlp/http-connections.js';
import { HttpSender } from '../otlp/http-sender.js';
import { OtlpExporter } from '../otlp/otlp-exporter.js';
import { toTransport } from '../otlp/otlp-transport.js';
import { SequentialExporter } from './sequential-exporter.js';
import { ThriftExporter } from './thrift-exporter.js';
import type { ProcessTag } from './thrift-span.js';
import type { Transport } from '../transport.js';

type ResolvedJaeger = Extract<ResolvedExporter, { type: 'jaeger' }>;
type ResolvedAgent = Extract<ResolvedJaeger, { host: string }>;
type ResolvedCollector = Extract<ResolvedJaeger, { endpoint: string }>;

interface JaegerPackage {
  JaegerExporter: new (config: {
    host: string;
    port: number;
    tags: readonly ProcessTag[];
    flushTimeout: number;
  }) => SpanExporter;
}

// The exporter reads these variables for each setting that it is not given, and a collector in a variable would take precedence
// over an agent in the options.
const NO_VARIABLES = {
  OTEL_EXPORTER_JAEGER_ENDPOINT: undefined,
  OTEL_EXPORTER_JAEGER_USER: undefined,
  OTEL_EXPORTER_JAEGER_PASSWORD: undefined,
};

/** The time for which a timer of the exporter keeps the process alive after its shutdown, in milliseconds. */
const FLUSH_TIMEOUT = 100;
/** The time of an export, in milliseconds: to a collector with all attempts, as by OTLP. */
const TIMEOUT = 10_000;
/**
 * The time between two packets, in milliseconds. UDP never waits for the agent, which holds two or three packets until it reads
 * them, so that a long queue that is sent at once would overrun it.
 */
const UDP_GAP = 5;
/** The maximal bytes of spans in a UDP packet, which also carries the resource. */
const MAX_PACKET = 60_000;

/**
 * Creates the exporter to an agent, over UDP.
 *
 * @throws TracingPackageError if its package is not installed
 */
export function createAgentTransport({ type, ...config }: ResolvedAgent): Transport {
  const { JaegerExporter } = loadOptional<JaegerPackage>(JAEGER_PACKAGE, 'exporter', type);
  const create = (tags: readonly ProcessTag[]) =>
    withEnvironment(NO_VARIABLES, () => new JaegerExporter({ ...config, tags, flushTimeout: FLUSH_TIMEOUT }));
  return {
    exporter: new SequentialExporter(new ThriftExporter((tags) => explainOversizedSpans(create(tags))), {
      timeout: TIMEOUT,
      gap: UDP_GAP,
    }),
    maxMessageBytes: MAX_PACKET,
  };
}

/**
 * Creates the way to a collector, over HTTP. The sender is that of OTLP: the exporter of the package takes redirects, and answers that are cut
 * or never end, for a success, and has no time limit.
 */
export function createCollectorTransport({ endpoint, password, username }: ResolvedCollector): Transport<JaegerSpan> {
  const encoder = new JaegerEncoder();
  const connections = new HttpConnections({ url: new URL(endpoint), proxy: undefined, tls: undefined });
  const credentials = username !== undefined && Buffer.from(`${username}:${password}`).toString('base64');
  const sender = new HttpSender(connections, {
    headers: credentials ? { authorization: `Basic ${credentials}` } : {},
    contentType: encoder.contentType,
    compression: 'none',
    mayRejectSpans: false,
  });
  const target = {
    url: endpoint,
    proxy: undefined,
    elsewhere: 'or correct the endpoint',
    authorities: 'NODE_EXTRA_CA_CERTS',
    clientCertificate: undefined,
  };
  const transport = toTransport(new OtlpExporter(encoder, sender, TIMEOUT), encoder);
  return { ...transport, hintFor: (error) => connectionHint(target, error) };
}

/** Replaces the error for a span that is larger than a packet by one that says what to change. */
function explainOversizedSpans(exporter: SpanExporter): SpanExporter {
  const advice = 'it fits into no UDP packet: lower limits.attributeValueLength, or use "exporter.endpoint"';
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const oversized = result.error?.message.includes('larger than maxSpanSize');
        done(oversized ? { ...result, error: new Error(advice, { cause: result.error }) } : result);
      });
    },
    forceFlush: () => exporter.forceFlush?.() ?? Promise.resolve(),
    shutdown: () => exporter.shutdown(),
  };
}
