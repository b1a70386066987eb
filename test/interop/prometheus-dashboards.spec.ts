import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TraceReceiver } from '../../sample/02-shop/run/trace-receiver.js';
import { dashboards, panelQueries, type PanelQuery } from './support/dashboards.js';
import { until } from './support/jaeger-query.js';
import type { PrometheusQuery, Series } from './support/prometheus-query.js';
import { ScrapedShop } from './support/prometheus-shop.js';

const JOBS = ['gateway', 'inventory', 'orders'];

/** The values that Grafana inserts for the variables of a dashboard. */
const variables = { job: JOBS.join('|'), __rate_interval: '1m', __range: '15m' };

const queries = panelQueries(variables);

let shop: ScrapedShop;
let prometheus: PrometheusQuery;
let traces: TraceReceiver;
beforeAll(async () => {
  traces = await TraceReceiver.start();
  shop = await ScrapedShop.start(traces.url);
  prometheus = shop.prometheus.query;
  await shop.visit(8);
});
afterAll(async () => {
  await shop?.stop();
  await traces?.stop();
});

it.each(dashboards().map((dashboard) => [dashboard.title, dashboard] as const))(
  '%s offers the services to choose from',
  async (_title, { templating }) => {
    const { query } = templating.list.find(({ name }) => name === 'job')!.query as { query: string };
    const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(query)!;
    expect(await prometheus.labelValues(label!, selector!)).toEqual(JOBS);
  },
);

describe.each(queries.map((query) => [query.title, query] as const))('%s', (_title, query) => {
  it('is a query that Prometheus understands', async () => {
    await expect(prometheus.format(query.expr)).resolves.toContain('job=~"gateway|inventory|orders"');
  });

  it('returns data, and the labels of its legend', async () => {
    const series = await until(
      () => data(query),
      (found) => found.length > 0,
    );
    expect(series).not.toEqual([]);
    const labels = [...query.legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label]) => label!);
    expect(series).toContainEqual({
      labels: expect.objectContaining(Object.fromEntries(labels.map((label) => [label, expect.stringMatching(/./)]))),
      values: expect.anything(),
    });
  });
});

it.each(queries.filter(({ exemplar }) => exemplar).map((query) => [query.title, query.expr] as const))(
  '%s shows exemplars with a trace and a span',
  async (_title, expr) => {
    const exemplars = await until(
      () => prometheus.exemplars(expr),
      (found) => found.length > 0,
    );
    expect(exemplars).not.toEqual([]);
    for (const { labels } of exemplars) {
      expect(labels).toEqual({
        trace_id: expect.stringMatching(/^[\da-f]{32}$/),
        span_id: expect.stringMatching(/^[\da-f]{16}$/),
      });
    }
  },
);

it('each kind of request has such a panel', () => {
  const titles = queries.filter(({ exemplar }) => exemplar).map(({ title }) => title.split(' › ')[1]);
  expect(titles).toEqual(['HTTP, served', 'gRPC, served', 'HTTP, called', 'gRPC, called', 'Methods with @Timed()']);
});

it.each([
  ['Services › HTTP, served › Failed › A', 'gateway', 0, 0],
  // Three of the five orders reach the payment, one of them with a card that is declined.
  ['Services › HTTP, called › Failed › A', 'orders', 0.2, 0.5],
  ['Services › gRPC, called › Failed › A', 'gateway', 0.2, 0.5],
  ['Services › gRPC, served › Failed › A', 'orders', 0, 0],
  ['Services › HTTP, served › Duration › C', undefined, 0.1, 10],
  ['Services › HTTP, served › In progress › A', 'gateway', 0, 0],
  ['Tracing and process › Spans › Exported per second › A', 'orders', 0.1, 1000],
  ['Tracing and process › Spans › Failed per second › A', 'orders', 0, 0],
  ['Tracing and process › Spans › Dropped per second › A', 'orders', 0, 0],
  ['Tracing and process › Process › Event loop lag › A', 'gateway', 0.001, 10],
  ['Tracing and process › Process › Memory › A', 'gateway', 2e7, 1e9],
])('%s shows of %s what is so', async (title, job, atLeast, atMost) => {
  const { expr } = queries.find((query) => query.title === title)!;
  const latest = async () => (await prometheus.now(expr)).find(({ labels }) => labels.job === job)?.values[0];
  const right = (value: number | undefined) => value !== undefined && value >= atLeast && value <= atMost;
  const value = await until(latest, right);
  expect(value).toBeGreaterThanOrEqual(atLeast);
  expect(value).toBeLessThanOrEqual(atMost);
});

/** The series that a panel could draw. */
async function data({ expr, instant }: PanelQuery): Promise<Series[]> {
  const series = instant ? await prometheus.now(expr) : await prometheus.range(expr);
  return series.filter(({ values }) => values.some(Number.isFinite));
}
