import { JAEGER_PACKAGE } from '../../options/jaeger.js';
import type { ResolvedExporter } from '../../options/exporter.js';
import type { SpanExporter } from '../../options/sdk-types.js';
import { withEnvironment } from '../environment.js';
import { loadOptional } from '../../packages/optional.js';
import { SequentialExporter } from './sequential-exporter.js';
import { splitBySize } from './span-size.js';
import { ThriftExporter } from './thrift-exporter.js';
import type { ProcessTag } from './thrift-span.js';
import type { Transport } from './transport.js';

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

// The exporter reads these again for what it is not given, and a collector that a variable names would go before an
// agent that was chosen in code.
const NO_VARIABLES = {
  OTEL_EXPORTER_JAEGER_ENDPOINT: undefined,
  OTEL_EXPORTER_JAEGER_USER: undefined,
  OTEL_EXPORTER_JAEGER_PASSWORD: undefined,
};

/** A timer of the exporter holds the process for this time after its shutdown, in milliseconds. */
const FLUSH_TIMEOUT = 100;
/** The exporter does not end a request that a collector leaves without an answer. */
const PATIENCE = 10_000;
/**
 * UDP never waits for the agent, which holds two or three packets until it gets to them: a long queue that leaves in one go
 * would overrun it. So packets leave one by one, with this time between them, in milliseconds.
 */
const UDP_GAP = 5;
/** Bytes of a UDP packet, less some for the resource that goes with it. */
const MAX_PACKET = 60_000;

/** The Jaeger exporter, which is a package of its own. */
export function createJaegerExporter(resolved: ResolvedJaeger): Transport {
  const { type, ...config } = resolved;
  const { JaegerExporter } = loadOptional<JaegerPackage>(JAEGER_PACKAGE, 'exporter', type);
  const create = (tags: readonly ProcessTag[]) =>
    withEnvironment(NO_VARIABLES, () => new JaegerExporter({ ...config, tags, flushTimeout: FLUSH_TIMEOUT }));
  if ('endpoint' in resolved) {
    return { exporter: new SequentialExporter(new ThriftExporter(create), { patience: PATIENCE }) };
  }
  return {
    exporter: new SequentialExporter(new ThriftExporter((tags) => withAdvice(create(tags))), {
      patience: PATIENCE,
      gap: UDP_GAP,
    }),
    split: (spans) => splitBySize(spans, MAX_PACKET),
  };
}

/** Says what can be done about a span that fits into no packet. */
function withAdvice(exporter: SpanExporter): SpanExporter {
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
