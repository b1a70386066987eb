import type { Attributes } from '@opentelemetry/api';
import { warn } from '../../core/diagnostics.js';
import type { ResolvedExporter } from '../../options/resolved-options.js';
import type { ReadableSpan, SpanExporter } from '../../tracing.options.js';
import { withEnvironment } from '../environment.js';
import { loadOptional } from '../packages.js';
import { SequentialExporter } from './sequential-exporter.js';

type ResolvedJaeger = Extract<ResolvedExporter, { type: 'jaeger' }>;

interface JaegerPackage {
  JaegerExporter: new (config: {
    host?: string;
    port?: number;
    endpoint?: string;
    username?: string;
    password?: string;
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
 * UDP never waits for the agent: a long queue that leaves in one go overruns it, and holds up the event loop.
 * So many spans make two or three packets.
 */
const UDP_PACE = { size: 128, gap: 5 };
/** Bytes of a UDP packet, less some for the resource that goes with it. */
const MAX_PACKET = 60_000;

/** The Jaeger exporter, which is a package of its own. */
export function createJaegerExporter(resolved: ResolvedJaeger): SpanExporter {
  const { type, ...config } = resolved;
  const { JaegerExporter } = loadOptional<JaegerPackage>('@opentelemetry/exporter-jaeger', 'exporter', type);
  const exporter = withEnvironment(NO_VARIABLES, () => new JaegerExporter({ ...config, flushTimeout: FLUSH_TIMEOUT }));
  if ('endpoint' in resolved) return new SequentialExporter(exporter, { patience: PATIENCE });
  return withoutOversized(
    new SequentialExporter(exporter, { patience: PATIENCE, ...UDP_PACE }),
    `${resolved.host}:${resolved.port}`,
  );
}

/** A span that fits into no packet would have the exporter lose what follows it in its batch. */
function withoutOversized(exporter: SequentialExporter, agent: string): SpanExporter {
  return {
    export(spans, done) {
      const fitting = spans.filter((span) => packetSize(span) <= MAX_PACKET);
      const lost = spans.length - fitting.length;
      if (lost > 0) {
        const fix = 'Lower limits.attributeValueLength, or send to a collector by "exporter.endpoint".';
        warn('jaeger:oversized', `Spans lost because they fit into no UDP packet to ${agent}: ${lost}. ${fix}`);
      }
      exporter.export(fitting, done);
    },
    forceFlush: () => exporter.forceFlush(),
    shutdown: () => exporter.shutdown(),
  };
}

/** Bytes of a span in Thrift, rather too many than too few. */
function packetSize({ name, attributes, resource, events, links }: ReadableSpan): number {
  const own = 200 + 3 * name.length + attributesSize(attributes) + attributesSize(resource.attributes);
  const logs = events.map((event) => 50 + 3 * event.name.length + attributesSize(event.attributes));
  return logs.reduce((sum, size) => sum + size, own + 60 * links.length);
}

function attributesSize(attributes: Attributes | undefined): number {
  let size = 0;
  for (const [key, value] of Object.entries(attributes ?? {})) {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    size += 40 + key.length + Buffer.byteLength(text ?? '');
  }
  return size;
}
