import { get, request as httpRequest } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import type { TracingOptions } from 'nestjs-tracing';
import { withClientApp, type ClientApp } from '../support/client-app.js';
import { freePort } from '../support/free-port.js';
import { untraced } from '../support/http-app.js';
import { Scrape } from '../support/scrape.js';

const DURATION = 'http_client_request_duration_seconds';

async function nodeGet(url: string, { headers }: { headers?: Record<string, string> } = {}): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    get(url, { ...(headers && { headers }) }, (response) => response.resume().once('end', resolve)).once(
      'error',
      reject,
    );
  });
}

const clients: [string, (url: string, init?: { headers?: Record<string, string> }) => Promise<unknown>][] = [
  ['fetch', async (url, init) => (await fetch(url, init)).text()],
  ['node:http', nodeGet],
];

describe.each(clients)('metrics of outgoing requests by %s', (_, send) => {
  const withApp = (use: (app: ClientApp) => Promise<void>, tracing: Omit<TracingOptions, 'exporter'> = {}) =>
    withClientApp({ tracing: { metrics: { defaultMetrics: false }, ...tracing } }, use);

  const counted = ({ url }: ClientApp, count: number) => Scrape.counted(`${url}/metrics`, DURATION, count);

  it('are counted by method, host and status, and lead to their spans', () =>
    withApp(async (app) => {
      await app.run(() => send(`${app.target.url}/status/200?secret=1`));
      await app.run(() => send(`${app.target.url}/status/404`));
      await app.run(() => send(`${app.target.url}/status/503`));
      const found = await counted(app, 3);
      const common = {
        server_address: '127.0.0.1',
        server_port: String(app.target.port),
        network_protocol_version: '1.1',
      };
      const labels = { ...common, http_request_method: 'GET' };
      expect(found.labels(`${DURATION}_count`)).toEqual([
        { ...labels, http_response_status_code: '200' },
        { ...labels, http_response_status_code: '404', error_type: '404' },
        { ...labels, http_response_status_code: '503', error_type: '503' },
      ]);
      await app.traces.until((spans) => spans.filter(({ kind }) => kind === SpanKind.CLIENT).length === 3);
      const spans = app.traces.spans.filter(({ kind }) => kind === SpanKind.CLIENT);
      const led = found.exemplars(`${DURATION}_bucket`).map(({ exemplar }) => exemplar.labels.span_id);
      expect(new Set(led)).toEqual(new Set(spans.map((span) => span.spanContext().spanId)));
    }));

  it('name the error of a request without an answer', () =>
    withApp(async (app) => {
      const port = await freePort();
      await app.run(() => send(`http://127.0.0.1:${port}/`).catch(() => {}));
      const found = await counted(app, 1);
      expect(found.labels(`${DURATION}_count`)).toEqual([
        {
          http_request_method: 'GET',
          server_address: '127.0.0.1',
          server_port: String(port),
          error_type: 'ECONNREFUSED',
        },
      ]);
    }));

  it('count requests that another instrumentation has a span for', () =>
    withApp(async (app) => {
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
      await app.run(() => send(`${app.target.url}/status/404`, { headers: { traceparent } }));
      const found = await counted(app, 1);
      expect(found.labels(`${DURATION}_count`)).toMatchObject([
        { server_port: String(app.target.port), error_type: '404' },
      ]);
      expect(found.exemplars(`${DURATION}_bucket`)).toEqual([]);
      expect(app.target.only('/status/404').headers.traceparent).toBe(traceparent);
      expect(app.traces.spans.filter(({ kind }) => kind === SpanKind.CLIENT)).toEqual([]);
    }));

  it('count the requests in flight', () =>
    withApp(async (app) => {
      const sent = app.run(() => send(`${app.target.url}/hang`));
      await app.target.reached('/hang');
      const active = { http_request_method: 'GET', server_port: String(app.target.port) };
      const during = await untraced(() => Scrape.of(`${app.url}/metrics`));
      expect(during.value('http_client_active_requests', active)).toBe(1);
      app.target.release('/hang');
      await sent;
      expect((await counted(app, 1)).value('http_client_active_requests', active)).toBe(0);
    }));

  it('count requests that the sampler drops, and have no exemplar of them', () =>
    withApp(
      async (app) => {
        await app.run(() => send(`${app.target.url}/status/200`));
        const found = await counted(app, 1);
        expect(found.value(`${DURATION}_count`)).toBe(1);
        expect(found.samples.filter(({ exemplar }) => exemplar)).toEqual([]);
      },
      { sampler: 'always_off' },
    ));
});

describe('metrics of requests by node:http', () => {
  it('have one series for a server, whatever Host headers say', () =>
    withClientApp({ tracing: { metrics: { defaultMetrics: false } } }, async (app) => {
      const { hostname, port } = new URL(app.target.url);
      const hosts = Array.from({ length: 5 }, (_, index) => [
        `made-up-${index}.test`,
        `${hostname}:${index + 1}`,
      ]).flat();
      await app.run(async () => {
        for (const host of hosts) await nodeGet(`${app.target.url}/ok`, { headers: { Host: host } });
      });
      const found = await Scrape.counted(`${app.url}/metrics`, DURATION, hosts.length);
      expect(found.labels(`${DURATION}_count`)).toMatchObject([{ server_address: hostname, server_port: port }]);
      expect(found.labels('http_client_active_requests')).toHaveLength(1);
    }));

  it('have one series for a server, whatever the request targets in absolute form', () =>
    withClientApp({ tracing: { metrics: { defaultMetrics: false } } }, async (app) => {
      const { hostname, port } = new URL(app.target.url);
      const ask = (path: string) =>
        new Promise((resolve, reject) => {
          const request = httpRequest({ hostname, port, path }, (response) => response.resume().once('end', resolve));
          request.once('error', reject).end();
        });
      await app.run(async () => {
        for (const path of ['http://one.test/ok', 'http://two.test/ok']) await ask(path);
      });
      const found = await Scrape.counted(`${app.url}/metrics`, DURATION, 2);
      expect(found.labels(`${DURATION}_count`)).toMatchObject([{ server_address: hostname, server_port: port }]);
    }));
});
