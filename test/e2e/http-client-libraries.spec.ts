import { describe, expect, it } from '@jest/globals';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Injectable, Module } from '@nestjs/common';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { TracingService } from 'nestjs-tracing';
import axios, { create as createAxios } from 'axios';
import { got } from 'got';
import nodeFetch from 'node-fetch';
import { get as httpGet } from 'node:http';
import { lastValueFrom } from 'rxjs';
import superagent from 'superagent';
import {
  broken,
  cancelled,
  client,
  clientSpans,
  expectBare,
  expectCarried,
  nodePropagates,
  runOf,
  withClientApp,
} from '../support/client-app.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

interface Library {
  readonly name: string;
  send(url: string, signal?: AbortSignal): Promise<unknown>;
  /** The outcome of the span of a request that the library aborts on its caller's signal. */
  readonly aborted: ExpectedSpan;
}

const libraries: Library[] = [
  {
    name: 'axios',
    send: (url, signal) => axios.get(url, { signal, validateStatus: () => true }),
    aborted: cancelled('GET'),
  },
  {
    name: 'axios over fetch',
    send: (url, signal) => axios.get(url, { adapter: 'fetch', signal, validateStatus: () => true }),
    aborted: cancelled('GET'),
  },
  {
    name: 'got',
    send: (url, signal) => got(url, { signal, retry: { limit: 0 }, throwHttpErrors: false }).text(),
    aborted: cancelled('GET'),
  },
  {
    name: 'node-fetch',
    send: async (url, signal) => (await nodeFetch(url, { signal })).text(),
    aborted: cancelled('GET'),
  },
  {
    name: 'superagent',
    send(url, signal) {
      const request = superagent.get(url).ok(() => true);
      signal?.addEventListener('abort', () => void request.abort());
      return request.then((response) => response.text);
    },
    aborted: cancelled('GET'),
  },
];

describe.each(libraries)('$name', ({ name, send, aborted }) => {
  const propagates = nodePropagates || name === 'axios over fetch';

  it('has a client span below its caller, and carries it', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`));
      await traces.until((spans) => spans.length === 3);
      if (propagates) expectCarried(target.only('/ok'), clientSpans(traces.spans)[0]);
      else expectBare(target.only('/ok'));
      const attributes = { 'url.full': `${target.url}/ok`, 'server.port': target.port };
      await traces.expect(runOf(client('GET', 200, { attributes })));
    });
  });

  it('has a span for each redirect, side by side', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/redirect/status/404`));
      await traces.until((spans) => spans.length === 4);
      const [first, second] = clientSpans(traces.spans);
      if (propagates) {
        expectCarried(target.only('/redirect/status/404'), first);
        // This must also hold if the library sends the headers of the first request again, as superagent does.
        expectCarried(target.only('/status/404'), second);
      }
      await traces.expect(runOf(client('GET', 302), client('GET', 404)));
    });
  });

  it('is left unset where its caller gives up', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const controller = new AbortController();
      const abandoned = run(async () => {
        const answer = send(`${target.url}/hang`, controller.signal);
        await target.reached('/hang');
        controller.abort();
        await answer;
      });
      await expect(abandoned).rejects.toThrow(/abort|cancel/i);
      await traces.expect(runOf(aborted));
    });
  });
});

describe('time limits of libraries', () => {
  it.each<[string, (url: string) => Promise<unknown>, ExpectedSpan]>([
    [
      'axios',
      (url) => axios.get(url, { timeout: 30 }),
      broken('GET', undefined, 'ECONNABORTED', 'AxiosError: timeout of 30ms exceeded'),
    ],
    [
      'got',
      (url) => got(url, { timeout: { request: 30 }, retry: { limit: 0 } }),
      broken('GET', undefined, 'ETIMEDOUT', "TimeoutError: Timeout awaiting 'request' for 30ms"),
    ],
    // The library destroys its request without a reason.
    ['superagent', (url) => superagent.get(url).timeout(30), cancelled('GET')],
  ])('%s', async (_name, send, span) => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await expect(run(() => send(`${target.url}/hang`))).rejects.toThrow(/30 ?ms/);
      await traces.expect(runOf(span));
    });
  });
});

describe('HttpService', () => {
  it('carries the trace', async () => {
    await withClientApp({ imports: [HttpModule.register({})] }, async ({ app, run, target, traces }) => {
      const http = app.get(HttpService, { strict: false });
      await run(() => lastValueFrom(http.get(`${target.url}/ok`)));
      await traces.until((spans) => spans.length === 3);
      expectCarried(target.only('/ok'), clientSpans(traces.spans)[0]);
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('carries it in each module, and once where modules share a client', async () => {
    @Injectable()
    class Shop {
      constructor(readonly http: HttpService) {}
    }
    @Module({ imports: [HttpModule], providers: [Shop], exports: [Shop] })
    class ShopModule {}

    await withClientApp({ imports: [HttpModule, ShopModule] }, async ({ app, run, target, traces }) => {
      await run(async () => {
        await lastValueFrom(app.get(Shop).http.get(`${target.url}/ok/1`));
        await axios.get(`${target.url}/ok/2`);
      });
      await traces.until((spans) => spans.length === 4);
      const [first, second] = clientSpans(traces.spans);
      expectCarried(target.only('/ok/1'), first);
      expectCarried(target.only('/ok/2'), second);
      await traces.expect(runOf(client('GET', 200), client('GET', 200)));
    });
  });

  it('heeds the rules', async () => {
    const rules = {
      ignore: ({ url }: { url: URL }) => url.pathname === '/ok/ignored',
      propagateTo: ({ url, method }: { url: URL; method: string }) =>
        url.searchParams.get('to') === 'friend' && method === 'POST',
    };
    const imports = [HttpModule.register({ params: { to: 'friend' } })];
    await withClientApp({ client: rules, imports }, async ({ app, run, target, traces }) => {
      const http = app.get(HttpService, { strict: false });
      const baseURL = target.url;
      await run(async () => {
        await lastValueFrom(http.post('/ok/ignored', 'x', { baseURL }));
        await lastValueFrom(http.get('/ok/get', { baseURL }));
        await lastValueFrom(http.post('/ok/other', 'x', { baseURL, params: { to: 'foe' } }));
        await lastValueFrom(http.post('/ok/friend', 'x', { baseURL }));
      });
      await traces.until((spans) => spans.length === 5);
      const [ignored, get, other, friend] = target.received;
      for (const bare of [ignored!, get!, other!]) expectBare(bare);
      expect(friend!.headers.traceparent).toContain(clientSpans(traces.spans)[2]!.spanContext().traceId);
      await traces.expect(runOf(client('GET', 200), client('POST', 200), client('POST', 200)));
    });
  });

  it('leaves headers that are there, and nothing behind', async () => {
    const shared = createAxios();
    const register = shared.interceptors.request as unknown as { handlers?: unknown[] };
    const before = register.handlers?.filter(Boolean).length ?? 0;
    const providers = [{ provide: 'CLIENT', useValue: { axiosRef: shared } }];
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await withClientApp({ providers }, async ({ run, target, traces }) => {
      await run(() => shared.get(`${target.url}/ok`, { headers: { traceparent } }));
      expect(target.only('/ok').headers.traceparent).toBe(traceparent);
      await traces.expect(runOf());
      expect(register.handlers!.filter(Boolean)).toHaveLength(nodePropagates ? before : before + 1);
    });
    expect(register.handlers!.filter(Boolean)).toHaveLength(before);
  });
});

describe('TracingService.inject()', () => {
  it('has a request of any client carry the trace, on any Node', async () => {
    await withClientApp({}, async ({ app, run, target, traces }) => {
      const tracing = app.get(TracingService);
      await run(async () => {
        const headers = tracing.inject<Record<string, string>>({ 'x-own': '1' });
        await new Promise((resolve, reject) => {
          httpGet(`${target.url}/ok`, { headers }, (response) => response.resume().once('end', resolve)).once(
            'error',
            reject,
          );
        });
      });
      await traces.until((spans) => spans.length === 3);
      expectCarried(target.only('/ok'), traces.named('WorkController.work'));
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('carries baggage on HttpService', async () => {
    await withClientApp({ imports: [HttpModule] }, async ({ app, run, target, traces }) => {
      const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
      const http = app.get(HttpService, { strict: false });
      await run(() =>
        context.with(propagation.setBaggage(context.active(), baggage), () =>
          lastValueFrom(http.get(`${target.url}/ok`)),
        ),
      );
      expect(target.only('/ok').headers.baggage).toBe('tenant=acme');
      await traces.expect(runOf(client('GET', 200)));
    });
  });
});

describe('a client of a database that has spans of its own', () => {
  const search = (system: string, ...children: ExpectedSpan[]): ExpectedSpan => ({
    name: 'search',
    kind: 'CLIENT',
    attributes: { 'db.system': system },
    children,
  });

  /** Makes a query as `@elastic/elasticsearch` does. */
  function query(system: string, send: () => Promise<unknown>): Promise<unknown> {
    const options = { kind: SpanKind.CLIENT, attributes: { 'db.system': system } };
    return trace.getTracer('a client').startActiveSpan('search', options, async (span) => {
      try {
        return await send();
      } finally {
        span.end();
      }
    });
  }

  const senders: [string, (url: string) => Promise<unknown>][] = [
    ['undici', async (url) => (await fetch(url)).text()],
    ['node:http', (url) => new Promise((resolve) => httpGet(url, (answer) => answer.resume().on('end', resolve)))],
    ['axios', (url) => axios.get(url)],
  ];

  it.each(senders)('has one span for a request by %s, which carries it', async (name, send) => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => query('elasticsearch', () => send(`${target.url}/ok`)));
      await traces.until((spans) => spans.length === 3);
      if (name === 'undici' || nodePropagates) expectCarried(target.only('/ok'), clientSpans(traces.spans)[0]);
      await traces.expect(runOf(search('elasticsearch')));
    });
  });

  it('has a span of its own and that of a request if it does not speak HTTP: a hook sends the request, say', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => query('mongodb', async () => (await fetch(`${target.url}/ok`)).text()));
      await traces.expect(runOf(search('mongodb', client('GET', 200))));
    });
  });
});
