import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Inject } from '@nestjs/common';
import { GrpcMethod, type ClientGrpc } from '@nestjs/microservices';
import { Metadata } from '@grpc/grpc-js';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { firstValueFrom } from 'rxjs';
import type { TracingOptions } from 'nestjs-tracing';
import {
  CALLER,
  contextHeaders,
  idsIn,
  mixedCases,
  TRACE,
  w3cCases,
  type ContextCase,
} from '../support/context-cases.js';
import { ECHO_CLIENT, startGrpcApp, type Echo, type GrpcApp, type Message } from '../support/grpc-app.js';

@Controller()
class RelayController {
  private readonly next: Echo;
  constructor(@Inject(ECHO_CLIENT) client: ClientGrpc) {
    this.next = client.getService<Echo>('Echo');
  }

  /** What the next service was sent: this one plays it as well. */
  @GrpcMethod('Echo', 'Unary')
  async relay(_message: Message, metadata: Metadata): Promise<Message> {
    if (metadata.get('x-next').length > 0) return { text: JSON.stringify(contextHeaders(metadata.getMap())) };
    const onward = new Metadata();
    onward.set('x-next', '1');
    return firstValueFrom(this.next.unary({}, onward));
  }
}

const start = (tracing: Partial<TracingOptions> = {}) => startGrpcApp({ controllers: [RelayController], tracing });

/** Sends metadata by a client that knows nothing of tracing, and hands out what went on to the next service. */
async function relay(grpc: GrpcApp, { headers }: Pick<ContextCase, 'headers'>): Promise<Record<string, unknown>> {
  const metadata = new Metadata();
  for (const [name, value] of headers) metadata.add(name, value);
  const { text = '' } = await firstValueFrom(grpc.plain.unary({}, metadata));
  return JSON.parse(text) as Record<string, unknown>;
}

/** The span of the first of the two calls that are served. */
async function serverSpan(grpc: GrpcApp, sampled: boolean): Promise<ReadableSpan | undefined> {
  if (!sampled) {
    await grpc.traces.expect();
    return undefined;
  }
  // Two servers, two handlers, and the client between them.
  await grpc.traces.until((spans) => spans.length === 5);
  const spans = grpc.traces.take();
  const ids = new Set(spans.map((span) => span.spanContext().spanId));
  return spans.find((span) => !ids.has(span.parentSpanContext?.spanId ?? ''));
}

describe('the metadata of W3C', () => {
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await start();
  });
  afterAll(() => grpc.close());

  it.each(w3cCases.filter(({ onlyHttp1 }) => !onlyHttp1))('$what', async ({ headers, flags, sent: more }) => {
    const { traceparent, ...others } = await relay(grpc, { headers });
    const ids = idsIn(traceparent);
    expect(ids.flags).toBe(flags ?? '03');
    expect(ids.traceId === TRACE).toBe(flags !== undefined);
    expect(others).toEqual(more ?? {});
    const span = await serverSpan(grpc, ids.flags === '01' || ids.flags === '03');
    if (!span) return;
    expect(span.spanContext().traceId).toBe(ids.traceId);
    expect(span.parentSpanContext?.spanId).toBe(flags && CALLER);
  });
});

describe('the metadata of all formats', () => {
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await start({ propagators: ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger'] });
  });
  afterAll(() => grpc.close());

  it.each(mixedCases)('$what', async ({ headers, flags, sent: more, b3, jaeger }) => {
    const { traceparent, ...others } = await relay(grpc, { headers });
    const { traceId, spanId, flags: sentFlags } = idsIn(traceparent);
    expect(sentFlags).toBe(flags ?? '03');
    expect(traceId === TRACE).toBe(flags !== undefined);
    expect(others).toEqual({
      b3: `${traceId}-${spanId}-${b3}`,
      'x-b3-traceid': traceId,
      'x-b3-spanid': spanId,
      ...(b3 === 'd' ? { 'x-b3-flags': '1' } : { 'x-b3-sampled': b3 }),
      'uber-trace-id': `${traceId}:${spanId}:0:${jaeger}`,
      ...more,
    });
    const span = await serverSpan(grpc, b3 !== '0');
    if (span) expect(span.parentSpanContext?.spanId).toBe(flags && CALLER);
  });

  it.each([
    ['0', '02', '0'],
    ['1', '03', '1'],
    ['d', '03', 'd'],
  ])('a wish without ids: %s', async (wish, flags, b3) => {
    const sent = await relay(grpc, { headers: [['b3', wish]] });
    const ids = idsIn(sent.traceparent);
    expect(ids.flags).toBe(flags);
    expect(sent.b3).toBe(`${ids.traceId}-${ids.spanId}-${b3}`);
    const span = await serverSpan(grpc, wish !== '0');
    expect(span?.parentSpanContext).toBeUndefined();
  });
});
