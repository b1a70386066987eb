import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get } from '@nestjs/common';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
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
import { httpPlatforms, startHttpApp, type HttpApp, type Platform } from '../support/http-app.js';
import { startNextService, type NextService } from '../support/next-service.js';
import { RawClient } from '../support/raw-client.js';

let next: NextService;
beforeAll(async () => {
  next = await startNextService();
});
afterAll(() => next.close());

@Controller()
class RelayController {
  /** What the next service was sent. */
  @Get('relay')
  async relay() {
    return (await fetch(next.url)).json();
  }
}

const start = (platform: Platform, tracing: TracingOptions = {}) =>
  startHttpApp(platform, {
    controllers: [RelayController],
    tracing: { ...tracing, exporter: undefined, http: { client: {} } } as TracingOptions,
  });

/** Sends headers byte by byte, and hands out what went on to the next service. */
async function relay(http: HttpApp, { headers }: Pick<ContextCase, 'headers'>): Promise<Record<string, unknown>> {
  const client = await RawClient.connect(http.port);
  client.send('GET /relay', [...headers.map(([name, value]) => `${name}: ${value}`), 'Connection: close']);
  const answer = await client.closed();
  return contextHeaders(JSON.parse(/\{.*\}/.exec(answer)![0]) as Record<string, unknown>);
}

async function serverSpan(http: HttpApp, sampled: boolean): Promise<ReadableSpan | undefined> {
  if (!sampled) {
    await http.traces.expect();
    return undefined;
  }
  // Server, handler and client.
  await http.traces.until((spans) => spans.length === 3);
  return http.traces.take().find((span) => span.kind === 1);
}

describe.each(httpPlatforms)('the headers of W3C on %s', (platform) => {
  let http: HttpApp;
  beforeAll(async () => {
    http = await start(platform);
  });
  afterAll(() => http.close());

  const onlyHere: ContextCase[] = [
    { what: 'baggage that is no ASCII', headers: [['baggage', 'a=é,é=1,b=2']], sent: { baggage: 'b=2' } },
    {
      what: 'an empty header',
      headers: [
        ['traceparent', ''],
        ['tracestate', 'a=1'],
      ],
    },
  ];

  it.each([...w3cCases, ...onlyHere])('$what', async ({ headers, flags, sent: more }) => {
    const { traceparent, ...others } = await relay(http, { headers });
    const ids = idsIn(traceparent);
    expect(ids.flags).toBe(flags ?? '03');
    expect(ids.traceId === TRACE).toBe(flags !== undefined);
    expect(others).toEqual(more ?? {});
    const span = await serverSpan(http, ids.flags === '01' || ids.flags === '03');
    if (!span) return;
    expect(span.spanContext().traceId).toBe(ids.traceId);
    expect(span.parentSpanContext?.spanId).toBe(flags && CALLER);
  });
});

describe.each(httpPlatforms)('the headers of all formats on %s', (platform) => {
  let http: HttpApp;
  beforeAll(async () => {
    http = await start(platform, { propagators: ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger'] });
  });
  afterAll(() => http.close());

  it.each(mixedCases)('$what', async ({ headers, flags, sent: more, b3, jaeger }) => {
    const { traceparent, ...others } = await relay(http, { headers });
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
    const span = await serverSpan(http, b3 !== '0');
    if (span) expect(span.parentSpanContext?.spanId).toBe(flags && CALLER);
  });

  it.each([
    ['0', '02', '0'],
    ['1', '03', '1'],
    ['d', '03', 'd'],
  ])('a wish without ids: %s', async (wish, flags, b3) => {
    const sent = await relay(http, { headers: [['b3', wish]] });
    const ids = idsIn(sent.traceparent);
    expect(ids.flags).toBe(flags);
    expect(sent.b3).toBe(`${ids.traceId}-${ids.spanId}-${b3}`);
    const span = await serverSpan(http, wish !== '0');
    expect(span?.parentSpanContext).toBeUndefined();
  });
});

describe.each(httpPlatforms)('a share of the traces on %s', (platform) => {
  let http: HttpApp;
  beforeAll(async () => {
    http = await start(platform, { sampler: { ratio: 0 }, propagators: ['tracecontext', 'b3'] });
  });
  afterAll(() => http.close());

  it.each([
    ['no caller, with the flag of a random id', [], '02', undefined],
    ['a caller that is sampled', [['traceparent', `00-${TRACE}-${CALLER}-03`]], '03', CALLER],
    ['a caller that is not', [['traceparent', `00-${TRACE}-${CALLER}-00`]], '00', undefined],
    ['a caller that leaves it to us', [['b3', `${TRACE}-${CALLER}`]], '00', undefined],
    ['a wish', [['b3', '1']], '03', undefined],
  ] as [string, [string, string][], string, string | undefined][])('%s', async (_, headers, flags, parent) => {
    const sent = await relay(http, { headers });
    expect(idsIn(sent.traceparent).flags).toBe(flags);
    const span = await serverSpan(http, flags === '03');
    expect(span?.parentSpanContext?.spanId).toBe(parent);
  });
});

describe('a service in which nothing is traced', () => {
  it('adopts nothing, and hands nothing on', async () => {
    const http = await start('Express', { enabled: false });
    await expect(
      relay(http, {
        headers: [
          ['traceparent', `00-${TRACE}-${CALLER}-01`],
          ['baggage', 'a=1'],
        ],
      }),
    ).resolves.toEqual({});
    await http.close();
  });
});
