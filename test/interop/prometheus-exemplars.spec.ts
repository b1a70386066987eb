import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Span, SpanKind } from '../../sample/02-shop/run/span.js';
import { Jaeger } from './support/jaeger.js';
import { until } from './support/jaeger-query.js';
import type { Exemplar } from './support/prometheus-query.js';
import { ScrapedShop } from './support/prometheus-shop.js';
import { shopSpans } from './support/shop-traces.js';

const ROUNDS = 10;
const RATIO = 0.5;
/** A time in seconds that is shorter than the time of an order for a piano. */
const SLOW = 0.24;
/** The greatest rounding error of Jaeger's microseconds, in seconds. */
const ROUNDING = 1e-6;

/** Each histogram of each service, and the kind of span that its exemplars name. */
const histograms: readonly (readonly [service: string, histogram: string, kind: SpanKind])[] = [
  ['gateway', 'http_server_request_duration_seconds', 'SERVER'],
  ['gateway', 'rpc_client_call_duration_seconds', 'CLIENT'],
  ['orders', 'rpc_server_call_duration_seconds', 'SERVER'],
  ['orders', 'rpc_client_call_duration_seconds', 'CLIENT'],
  ['orders', 'http_client_request_duration_seconds', 'CLIENT'],
  ['orders', 'db_client_operation_duration_seconds', 'CLIENT'],
  ['inventory', 'rpc_server_call_duration_seconds', 'SERVER'],
];

describe.each([
  ['all traces', {}],
  ['every second trace', { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: String(RATIO) }],
])('with %s kept', (_title, env) => {
  let jaeger: Jaeger;
  let shop: ScrapedShop;
  beforeAll(async () => {
    jaeger = await Jaeger.start();
    shop = await ScrapedShop.start(`http://127.0.0.1:${jaeger.ports.otlpHttp}`, env);
    await shop.visit(ROUNDS);
  });
  afterAll(async () => {
    await shop?.stop();
    await jaeger?.stop();
  });

  it('every request is counted', async () => {
    const count = 'http_server_request_duration_seconds_count{job="gateway"}';
    expect(await shop.prometheus.query.total(count)).toBe(shop.answers.length);
  });

  describe.each(histograms)('%s: %s', (service, histogram, kind) => {
    let exemplars: Exemplar[];
    beforeAll(async () => {
      exemplars = await shop.prometheus.query.exemplars(`${histogram}_bucket{job="${service}"}`);
    });

    it('has exemplars', () => {
      expect(exemplars).not.toEqual([]);
    });

    it('each of them names a span that Jaeger has, of this service and kind', async () => {
      for (const exemplar of exemplars) {
        expect(await spanOf(exemplar)).toMatchObject({ service, kind, spanId: exemplar.labels.span_id });
      }
    });

    it('the duration of that span is its value, and lies in its bucket', async () => {
      for (const exemplar of exemplars) {
        const { start, end } = await spanOf(exemplar);
        const duration = (end - start) / 1000;
        const [above, upTo] = bucketOf(exemplar);
        expect(Math.abs(exemplar.value - duration)).toBeLessThan(ROUNDING * 2);
        expect(duration).toBeGreaterThan(above - ROUNDING);
        expect(duration).toBeLessThanOrEqual(upTo + ROUNDING);
      }
    });
  });

  it('an exemplar of a slow bucket leads to the order that was slow, and to why', async () => {
    const buckets = 'http_server_request_duration_seconds_bucket{job="gateway"}';
    const exemplars = await shop.prometheus.query.exemplars(buckets);
    const slow = exemplars.filter(({ value }) => value > SLOW);
    const traces = await Promise.all(slow.map(({ labels }) => jaeger.query.trace(labels.trace_id!)));
    expect(traces.flatMap((trace) => shopSpans(trace!))).toContainEqual(
      expect.objectContaining({
        name: 'StockService.pick',
        attributes: expect.objectContaining({ 'item.sku': 'piano' }),
      }),
    );
  });

  /** The span that an exemplar names. */
  async function spanOf({ labels }: Exemplar): Promise<Span> {
    const find = async () => {
      const trace = await jaeger.query.trace(labels.trace_id!);
      return trace && shopSpans(trace).find(({ spanId }) => spanId === labels.span_id);
    };
    const span = await until(find, Boolean);
    if (!span) throw new Error(`Jaeger has no span ${labels.span_id} of trace ${labels.trace_id}`);
    return span;
  }

  /** The bounds of the bucket that an exemplar belongs to: the lower is exclusive, the upper is inclusive. */
  function bucketOf({ series }: Exemplar): [above: number, upTo: number] {
    const bounds = series['__name__']?.startsWith('db_')
      ? [0, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, Infinity]
      : [0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, Infinity];
    const upTo = series.le === '+Inf' ? Infinity : Number(series.le);
    return [bounds[bounds.indexOf(upTo) - 1]!, upTo];
  }
});
