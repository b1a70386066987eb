import { JAEGER_PACKAGE } from '../../options/jaeger.js';
import type { ResolvedExporter } from '../../options/exporter.js';
import type { SpanExporter } from '../../options/sdk-types.js';
import { withEnvironment } from '../../packages/environment.js';
import { loadOptional } from '../../packages/optional.js';
import { SequentialExporter } from './sequential-exporter.js';
import { ThriftExporter } from './thrift-exporter.js';
import type { ProcessTag } from './thrift-span.js';
import type { Transport } from '../transport.js';

type ResolvedJaeger = Extract<ResolvedExporter, { type: 'jaeger' }>;

interface JaegerPackage {
  JaegerExporter: new (config: {
    host?: string;
    port?: number;
    endpoint?: string;
    username?: string;
    password?: string;
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
/** The time that a collector has for its answer, in milliseconds. The exporter itself waits without a limit. */
const ANSWER_TIMEOUT = 10_000;
/**
 * The time between two packets, in milliseconds. UDP never waits for the agent, which holds two or three packets until it reads
 * them, so that a long queue that is sent at once would overrun it.
 */
const UDP_GAP = 5;
/** The maximal bytes of spans in a UDP packet, which also carries the resource. */
const MAX_PACKET = 60_000;

/**
 * Creates the exporter to Jaeger.
 *
 * @throws TracingPackageError if its package is not installed
 */
export function createJaegerExporter(resolved: ResolvedJaeger): Transport {
  const { type, ...config } = resolved;
  const { JaegerExporter } = loadOptional<JaegerPackage>(JAEGER_PACKAGE, 'exporter', type);
  const create = (tags: readonly ProcessTag[]) =>
    withEnvironment(NO_VARIABLES, () => new JaegerExporter({ ...config, tags, flushTimeout: FLUSH_TIMEOUT }));
  if ('endpoint' in resolved) {
    return { exporter: new SequentialExporter(new ThriftExporter(create), { timeout: ANSWER_TIMEOUT }) };
  }
  return {
    exporter: new SequentialExporter(new ThriftExporter((tags) => explainOversizedSpans(create(tags))), {
      timeout: ANSWER_TIMEOUT,
      gap: UDP_GAP,
    }),
    maxMessageBytes: MAX_PACKET,
  };
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
