import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { Jaeger } from '../interop/support/jaeger.js';
import { observabilityFolder } from '../interop/support/observability.js';
import type { Exemplar } from '../interop/support/prometheus-query.js';
import { ScrapedShop } from '../interop/support/prometheus-shop.js';

interface Link {
  readonly title: string;
  readonly href: string;
}

/** The state of Grafana's page "Explore" that an internal link opens. */
interface Explore {
  readonly datasource: string;
  readonly queries: readonly unknown[];
  readonly panelsState: unknown;
}

let jaeger: Jaeger;
let shop: ScrapedShop;
let exemplars: Exemplar[];
let links: Link[][];
beforeAll(async () => {
  jaeger = await Jaeger.start();
  shop = await ScrapedShop.start(`http://127.0.0.1:${jaeger.ports.otlpHttp}`);
  await shop.visit(3);
  exemplars = await shop.prometheus.query.exemplars('http_server_request_duration_seconds_bucket');
  links = linksOf(exemplars);
});
afterAll(async () => {
  await shop?.stop();
  await jaeger?.stop();
});

it('an exemplar has a link for each of the two backends', () => {
  expect(exemplars.length).toBeGreaterThan(1);
  for (const [index] of exemplars.entries()) {
    expect(links[index]!.map(({ title }) => title)).toEqual(['Trace in Tempo', 'Trace in Jaeger']);
  }
});

it('the first opens its trace in Tempo, at its span', () => {
  for (const [index, { labels }] of exemplars.entries()) {
    const { searchParams, pathname } = new URL(links[index]![0]!.href, 'http://localhost:3001');
    expect(pathname).toBe('/explore');
    const { datasource, queries, panelsState } = JSON.parse(searchParams.get('left')!) as Explore;
    expect(datasource).toBe('tempo');
    expect(queries).toEqual([expect.objectContaining({ query: labels.trace_id, queryType: 'traceql' })]);
    expect(panelsState).toEqual({ trace: { spanId: labels.span_id } });
  }
});

it('the second opens a trace that Jaeger has', async () => {
  for (const [index, { labels }] of exemplars.entries()) {
    const { href } = links[index]![1]!;
    expect(href).toBe(`http://localhost:16686/trace/${labels.trace_id}`);
    const { traceID, spans } = await jaeger.query.traceOf(1, href.split('/').at(-1)!);
    expect(traceID).toBe(labels.trace_id);
    expect(spans.length).toBeGreaterThan(0);
  }
});

/** The links that Grafana makes from these exemplars with the datasources of the sample. */
function linksOf(exemplars: readonly Exemplar[]): Link[][] {
  const file = join(observabilityFolder, 'grafana/provisioning/datasources/datasources.yaml');
  // Grafana reads the file in the same way: a doubled dollar sign is one.
  const { datasources } = parse(readFileSync(file, 'utf8').replaceAll('$$', '$')) as { datasources: object[] };
  const program = join(import.meta.dirname, 'exemplar-links.mjs');
  const input = JSON.stringify({ exemplars, datasources });
  const { status, stdout, stderr } = spawnSync(process.execPath, [program], { input, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Link[][];
}
