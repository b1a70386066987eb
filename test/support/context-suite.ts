import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { TracingOptions } from 'nestjs-tracing';
import { CALLER, idsIn, mixedCases, TRACE, type ContextCase } from './context-cases.js';
import type { TraceRecorder } from './trace-recorder.js';

/** A traced service that calls a next service for each request. */
export interface RelayingService {
  /** Sends these headers by a client that is not traced. Returns the context headers that the next service received. */
  relay(headers: ContextCase['headers']): Promise<Record<string, unknown>>;
  readonly traces: TraceRecorder;
  close(): Promise<void>;
}

export interface ContextSuiteOptions {
  start(tracing: Omit<TracingOptions, 'exporter'>): Promise<RelayingService>;
  /** The number of spans of one relayed request that is sampled. */
  spanCount: number;
  w3cCases: readonly ContextCase[];
}

/** Declares the tests of extraction and injection of a context, which are the same for every protocol. */
export function testContextPropagation({ start, spanCount, w3cCases }: ContextSuiteOptions): void {
  let service: RelayingService;

  function startBeforeAll(tracing: Omit<TracingOptions, 'exporter'>): void {
    beforeAll(async () => {
      service = await start(tracing);
    });
    afterAll(() => service.close());
  }

  /** Waits for the spans of one request. Returns the first of them, whose parent is the caller or none. */
  async function entrySpan(): Promise<ReadableSpan> {
    await service.traces.until((spans) => spans.length === spanCount, `${spanCount} spans`);
    const spans = service.traces.take();
    const ids = new Set(spans.map((span) => span.spanContext().spanId));
    const roots = spans.filter((span) => !ids.has(span.parentSpanContext?.spanId ?? ''));
    expect(roots).toHaveLength(1);
    return roots[0]!;
  }

  /** Expects the spans of one request below this caller if it was sampled, and no span if it was not. */
  async function expectSpans(isSampled: boolean, traceId: string, caller: string | undefined): Promise<void> {
    if (!isSampled) return service.traces.expect();
    const span = await entrySpan();
    expect(span.spanContext().traceId).toBe(traceId);
    expect(span.parentSpanContext?.spanId).toBe(caller);
  }

  describe('W3C headers', () => {
    startBeforeAll({});

    it.each(w3cCases)('are adopted and handed on: $what', async ({ headers, flags, sent: more }) => {
      const { traceparent, ...others } = await service.relay(headers);
      const ids = idsIn(traceparent);
      expect(ids.flags).toBe(flags ?? '03');
      expect(ids.traceId === TRACE).toBe(flags !== undefined);
      expect(others).toEqual(more ?? {});
      await expectSpans(/[13]$/.test(flags ?? '03'), ids.traceId, flags && CALLER);
    });
  });

  describe('headers of all formats', () => {
    startBeforeAll({ propagators: ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger'] });

    it.each(mixedCases)('are adopted and handed on: $what', async ({ headers, flags, sent: more, b3, jaeger }) => {
      const { traceparent, ...others } = await service.relay(headers);
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
      await expectSpans(b3 !== '0', traceId, flags && CALLER);
    });

    it.each([
      ['0', '02', '0'],
      ['1', '03', '1'],
      ['d', '03', 'd'],
    ])('decide on sampling without naming a caller: b3 %s', async (b3, flags, sentB3) => {
      const sent = await service.relay([['b3', b3]]);
      const ids = idsIn(sent.traceparent);
      expect(ids.flags).toBe(flags);
      expect(sent.b3).toBe(`${ids.traceId}-${ids.spanId}-${sentB3}`);
      await expectSpans(b3 !== '0', ids.traceId, undefined);
    });
  });

  describe('a sampler that keeps no trace', () => {
    startBeforeAll({ sampler: { ratio: 0 }, propagators: ['tracecontext', 'b3'] });

    it.each<[what: string, headers: [string, string][], flags: string, caller: string | undefined]>([
      ['no caller, with the flag of a random id', [], '02', undefined],
      ['a caller that is sampled', [['traceparent', `00-${TRACE}-${CALLER}-03`]], '03', CALLER],
      ['a caller that is not sampled', [['traceparent', `00-${TRACE}-${CALLER}-00`]], '00', undefined],
      ['a caller that has not decided', [['b3', `${TRACE}-${CALLER}`]], '00', undefined],
      ['a request to sample without a caller', [['b3', '1']], '03', undefined],
    ])('follows the headers that have decided: %s', async (_what, headers, flags, caller) => {
      const { traceId, flags: sentFlags } = idsIn((await service.relay(headers)).traceparent);
      expect(sentFlags).toBe(flags);
      await expectSpans(flags === '03', traceId, caller);
    });
  });
}
