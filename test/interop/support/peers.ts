import { join } from 'node:path';
import type { TracingOptions } from 'nestjs-tracing';
import { freePorts } from '../../../sample/02-shop/run/free-ports.js';
import type { Apps, RunningApp } from '../../support/apps.js';
import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.js';
import type { Seen, Via } from '../apps/peers/relay.js';

/** A span with the fields of OTLP over JSON that other tests do not need. */
type Span = ReceivedSpan & { readonly kind: number };

export type Stock = 'http' | 'undici' | 'grpc';

/** A service of `test/interop/apps/peers`. */
export interface ServiceOptions {
  readonly app: 'nest-service' | 'plain-service';
  /** The instrumentations of OpenTelemetry that are preloaded with its SDK. @default none, and no SDK */
  readonly preload?: readonly Stock[];
  readonly tracing?: TracingOptions;
  /** The propagators, in the format of `OTEL_PROPAGATORS`. */
  readonly propagators?: string;
}

/** Two services that send requests to each other, and the spans that they export. */
export class Peers {
  private constructor(
    private readonly services: readonly { url: string; grpcAddress: string; app: RunningApp }[],
    private readonly receiver: OtlpReceiver,
  ) {}

  /** @param services two services by their names */
  static async start(apps: Apps, services: Readonly<Record<string, ServiceOptions>>): Promise<Peers> {
    const receiver = await OtlpReceiver.start();
    const ports = await freePorts(4);
    const running = Object.entries(services).map(([name, options], index) => {
      const [port, grpcPort, nextPort, nextGrpcPort] = index === 0 ? ports : [...ports.slice(2), ...ports];
      const grpcAddress = `127.0.0.1:${grpcPort}`;
      const env = {
        OTEL_SERVICE_NAME: name,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        PORT: String(port),
        GRPC_ADDRESS: grpcAddress,
        NEXT_URL: `http://127.0.0.1:${nextPort}`,
        NEXT_GRPC_ADDRESS: `127.0.0.1:${nextGrpcPort}`,
        PROTO: join(import.meta.dirname, '../../support/echo.proto'),
        TRACING: JSON.stringify(options.tracing ?? {}),
        ...(options.propagators && { OTEL_PROPAGATORS: options.propagators }),
        ...(options.preload && { STOCK: options.preload.join(','), NODE_OPTIONS: '--import ./peers/preload.js' }),
      };
      return { url: `http://127.0.0.1:${port}`, grpcAddress, app: apps.start(`peers/${options.app}`, { env }) };
    });
    await Promise.all(running.map(({ app }) => app.said('listening')));
    return new Peers(running, receiver);
  }

  /** Sends a request to the first or the second service. The two then call each other in turn, by these hops. */
  async send(to: 0 | 1, hops: readonly Via[], headers: Record<string, string> = {}): Promise<Seen[]> {
    const url = `${this.services[to]!.url}/relay?hops=${encodeURIComponent(hops.join(','))}`;
    const response = await fetch(url, { headers });
    if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
    return (await response.json()) as Seen[];
  }

  /** Ends both services, so that they export the remaining spans. Returns all spans, and the warnings of the services. */
  async stop(): Promise<{ spans: Span[]; complaints: string }> {
    for (const { app } of this.services) app.signal('SIGTERM');
    const ends = await Promise.all(this.services.map(({ app }) => app.ended));
    await this.receiver.stop();
    return { spans: this.receiver.spans as Span[], complaints: ends.map(({ stderr }) => stderr).join('') };
  }
}

/** Returns each span as a line `service KIND name` below its parent, with its maker in brackets unless nestjs-tracing made it. */
export function drawTrace(spans: readonly Span[], traceId: string): string[] {
  const trace = spans.filter((span) => span.traceId === traceId);
  const known = new Set(trace.map(({ spanId }) => spanId));
  const callers = new Set(trace.map(({ parentSpanId = '' }) => parentSpanId).filter((id) => !known.has(id)));
  return [...callers].flatMap((caller) => [caller].concat(linesBelow(trace, caller)));
}

function linesBelow(trace: readonly Span[], parent: string): string[] {
  return trace
    .filter(({ parentSpanId = '' }) => parentSpanId === parent)
    .map((span) => [lineOf(span)].concat(linesBelow(trace, span.spanId)))
    .toSorted(([a], [b]) => (a! < b! ? -1 : 1))
    .flat()
    .map((line) => `  ${line}`);
}

const kinds = ['', 'INTERNAL', 'SERVER', 'CLIENT'];

function lineOf({ resource, kind, name, scope }: Span): string {
  const [, stock] = /^@opentelemetry\/instrumentation-(.*)$/.exec(scope) ?? [];
  return `${String(resource['service.name'])} ${kinds[kind]} ${name}${stock ? ` (${stock})` : ''}`;
}
