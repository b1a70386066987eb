/** What the services of both kinds do: tell what they see of the trace, and ask the next service the same. */
import { isSpanContextValid, propagation, trace } from '@opentelemetry/api';

/** How a request goes on to the next service. */
export type Via = 'fetch' | 'node:http' | 'unary' | 'server stream';

/** What a service sees of the trace while it serves a request. */
export interface Seen {
  readonly service: string;
  readonly traceId: string | undefined;
  readonly sampled: boolean;
  readonly tracestate: string | undefined;
  /** The baggage entry `tenant.id`. */
  readonly tenant: string | undefined;
}

/** How a service sends requests: each hands out what the next ones have seen. */
export type Senders = Readonly<Record<Via, (hops: string) => Promise<Seen[]>>>;

export const settings = {
  service: process.env.OTEL_SERVICE_NAME!,
  port: Number(process.env.PORT),
  grpcAddress: process.env.GRPC_ADDRESS!,
  nextUrl: process.env.NEXT_URL!,
  nextGrpcAddress: process.env.NEXT_GRPC_ADDRESS!,
  proto: process.env.PROTO!,
};

/** @param hops the ways to go on, separated by commas */
export async function relay(hops: string, send: Senders): Promise<Seen[]> {
  const seen = whatIsSeen();
  const [via, ...rest] = hops.split(',').filter(Boolean);
  return [seen, ...(via ? await send[via as Via](rest.join(',')) : [])];
}

export function relayUrl(hops: string): string {
  return `${settings.nextUrl}/relay?hops=${encodeURIComponent(hops)}`;
}

function whatIsSeen(): Seen {
  const found = trace.getActiveSpan()?.spanContext();
  const span = found && isSpanContextValid(found) ? found : undefined;
  return {
    service: settings.service,
    traceId: span?.traceId,
    sampled: ((span?.traceFlags ?? 0) & 1) === 1,
    tracestate: span?.traceState?.serialize(),
    tenant: propagation.getActiveBaggage()?.getEntry('tenant.id')?.value,
  };
}
