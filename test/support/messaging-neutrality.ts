import { ClientProxyFactory, type ClientOptions, type ClientProxy } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import type { MessagingApp, TransportOptions } from './messaging-app.js';

/** A record of headers, of which only the trace context differs from that of a client without tracing. */
export type Headers = Readonly<Record<string, unknown>>;

/** A message that a plain consumer has subscribed to. */
export interface Expected<T> {
  readonly message: Promise<T>;
}

/** Emits the same event by the traced client and by one that no application knows, and returns what a plain consumer gets from each. */
export async function emitByBoth<T>(
  { client }: MessagingApp,
  transport: TransportOptions,
  expectMessage: () => Promise<Expected<T>>,
  pattern: string,
  data: () => unknown,
): Promise<{ traced: T; bare: T }> {
  const bareClient: ClientProxy = ClientProxyFactory.create(transport as ClientOptions);
  await bareClient.connect();
  const emit = async (by: ClientProxy) => {
    const { message } = await expectMessage();
    await firstValueFrom(by.emit(pattern, data()), { defaultValue: undefined });
    return message;
  };
  const traced = await emit(client);
  const bare = await emit(bareClient);
  await bareClient.close();
  return { traced, bare };
}

const TRACE_CONTEXT = new Set(['traceparent', 'tracestate', 'baggage']);

/** Returns headers without the trace context. Undefined if there are no others. */
export function withoutTraceContext(headers: Headers | undefined): Headers | undefined {
  const others = Object.entries(headers ?? {}).filter(([name]) => !TRACE_CONTEXT.has(name));
  return others.length > 0 ? Object.fromEntries(others) : undefined;
}

/** Values that a sender may put where Nest's peers put the trace context. */
export const HOSTILE_METADATA: readonly unknown[] = [
  'text',
  7,
  null,
  [],
  ['traceparent'],
  { traceparent: 7 },
  { traceparent: null },
  { traceparent: { nested: true } },
  { traceparent: ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', 'again'] },
  { traceparent: '00-00000000000000000000000000000000-0000000000000000-01' },
  { traceparent: 'x'.repeat(1_000_000) },
  { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: '='.repeat(100_000) },
  { baggage: 'a=b,'.repeat(100_000) },
  JSON.parse('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}'),
];
