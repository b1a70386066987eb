/** Exemplars are written late, because it takes long to write one. Nothing of that shows. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { trace, TraceFlags, type Span } from '@opentelemetry/api';
import * as client from 'prom-client';
import { PrometheusInstruments } from '../../../lib/metrics/prometheus-instruments.js';
import type { PromClient } from '../../../lib/metrics/prom-client.js';

const START = 1_000_000;
const DESCRIPTION = { name: 'work.duration', description: 'Work.', unit: 's', attributes: ['queue'], buckets: [1, 10] };

let registry: client.Registry;
let record: (value: number, span: Span | undefined) => void;

beforeEach(() => {
  jest.useFakeTimers({ now: START });
  registry = new client.Registry();
  const histogram = new PrometheusInstruments(client as unknown as PromClient, registry, 100).histogram(DESCRIPTION);
  record = (value, span) => histogram.record(value, { queue: 'mail' }, span);
});

afterEach(() => void jest.useRealTimers());

function spanOf(digit: number, traceFlags = TraceFlags.SAMPLED): Span {
  return trace.wrapSpanContext({ traceId: `${digit}`.repeat(32), spanId: `${digit}`.repeat(16), traceFlags });
}

/** The exemplars by bucket: the first digit of the trace, the value, and the time. */
async function exemplars(): Promise<Record<string, unknown>> {
  interface Bucket {
    readonly labels: { readonly le?: number | string };
    readonly exemplar?: { labelSet: Record<string, string>; value: number; timestamp: number } | null;
  }
  const [metric] = (await registry.getMetricsAsJSON()) as unknown as [{ readonly values: readonly Bucket[] }];
  return Object.fromEntries(
    metric.values.flatMap(({ exemplar, labels }) =>
      exemplar ? [[labels.le, [exemplar.labelSet.trace_id?.charAt(0), exemplar.value, exemplar.timestamp]]] : [],
    ),
  );
}

it('are those of the last sampled measurement of each bucket, as soon as the metrics are read', async () => {
  record(0.1, spanOf(1));
  record(1, spanOf(2));
  record(0.3, spanOf(3, TraceFlags.NONE));
  record(0.4, undefined);
  record(5, spanOf(4));
  record(50, spanOf(5));
  expect(await exemplars()).toEqual({
    1: ['2', 1, START / 1000],
    10: ['4', 5, START / 1000],
    '+Inf': ['5', 50, START / 1000],
  });

  record(0.2, spanOf(6));
  expect(await exemplars()).toMatchObject({ 1: ['6', 0.2, START / 1000], 10: ['4', 5, START / 1000] });
});

it('have the time of their measurement, up to a tenth of a second', async () => {
  record(0.1, spanOf(1));
  jest.advanceTimersByTime(60_000);
  expect(await exemplars()).toEqual({ 1: ['1', 0.1, (START + 100) / 1000] });

  record(0.2, spanOf(2));
  jest.advanceTimersByTime(60_000);
  expect(await exemplars()).toEqual({ 1: ['2', 0.2, (START + 60_100) / 1000] });
});

it('of a metric that the application has reset are gone', async () => {
  record(0.1, spanOf(1));
  registry.resetMetrics();
  expect(await exemplars()).toEqual({});

  record(0.2, spanOf(2));
  expect(await exemplars()).toEqual({ 1: ['2', 0.2, START / 1000] });
});
