/** The code that both kinds of services share: a service reports what it sees of the trace, and calls the next service. */
import { isSpanContextValid, propagation, trace } from '@opentelemetry/api';

/** The way in which a service calls the next one. */
export type Via = 'fetch' | 'node:http' | 'unary' | 'server stream';

/** The parts of the trace that a service sees while it serves a request. */
export interface Seen {
  readonly service: string;
  readonly traceId: string | undefined;
  readonly sampled: boolean;
  readonly tracestate: string | undefined;
  /** The baggage entry `tenant.id`. */
  readonly tenant: string | undefined;
}

/** Functions that send a request to the next service. Each returns the reports of the services behind it. */
export type Senders = Readonly<Record<Via, (hops: string) => Promise<Seen[]>>>;

export const settings = {
  service: process.env.OTEL_SERVICE_NAME!,
  port: Number(process.env.PORT),
  grpcAddress: process.env.GRPC_ADDRESS!,
  nextUrl: process.env.NEXT_URL!,
  nextGrpcAddress: process.env.NEXT_GRPC_ADDRESS!,
  proto: process.env.PROTO!,
};

/** @param hops the ways to call the next services, separated by commas */
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
