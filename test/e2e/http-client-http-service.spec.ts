import { describe, expect, it, jest } from '@jest/globals';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Controller, Get, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { LazyModuleLoader, REQUEST, type ModuleRef } from '@nestjs/core';
import type { HttpClientOptions } from 'nestjs-tracing';
import axios, { create as createAxios, getAdapter, type AxiosRequestConfig } from 'axios';
import { lastValueFrom } from 'rxjs';
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
  type ClientApp,
  type ClientAppOptions,
} from '../support/client-app.js';
import { freePort } from '../support/free-port.js';
import { HttpTarget } from '../support/http-target.js';

const withHttpService = (use: (app: ClientApp, http: HttpService) => Promise<void>, more: ClientAppOptions = {}) =>
  withClientApp({ imports: [HttpModule.register({})], ...more }, (app) =>
    use(app, app.app.get(HttpService, { strict: false })),
  );

/** Expects the client spans of one run, each sent with the request of the path at its place. */
async function expectEachCarried({ target, traces }: ClientApp, ...paths: string[]): Promise<void> {
  await traces.until((spans) => spans.length === paths.length + 2);
  const spans = clientSpans(traces.spans);
  for (const [index, path] of paths.entries()) expectCarried(target.only(path), spans[index]);
}

const get = (http: HttpService, url: string, config: AxiosRequestConfig = {}) => lastValueFrom(http.get(url, config));

describe('the client span of HttpService is the parent of what is called', () => {
  it.each<[string, AxiosRequestConfig]>([
    ['by default', {}],
    ['without redirects', { maxRedirects: 0 }],
    ['by its fetch adapter', { adapter: 'fetch' }],
    ['beside headers of its own', { headers: { 'x-own': '1', tracestate: 'a=1' } }],
  ])('%s', async (_name, config) => {
    await withHttpService(async (app, http) => {
      await app.run(() => get(http, `${app.target.url}/ok`, config));
      await expectEachCarried(app, '/ok');
      await app.traces.expect(runOf(client('GET', 200)));
    });
  });

  it('for each of many at once', async () => {
    await withHttpService(async ({ run, target, traces }, http) => {
      const paths = Array.from({ length: 10 }, (_, index) => `/ok/${index}`);
      await run(() => Promise.all(paths.map((path) => get(http, target.url + path))));
      await traces.until((spans) => spans.length === paths.length + 2);
      for (const span of clientSpans(traces.spans)) {
        expectCarried(target.only(new URL(String(span.attributes['url.full'])).pathname), span);
      }
    });
  });

  it('for each of its redirects, and the hook of the application is called', async () => {
    await withHttpService(async (app, http) => {
      const { run, target, traces } = app;
      const redirects: unknown[] = [];
      const beforeRedirect = ({ path }: Record<string, unknown>) => void redirects.push(path);
      await run(() => get(http, `${target.url}/redirect/redirect/status/200`, { beforeRedirect }));
      await expectEachCarried(app, '/redirect/redirect/status/200', '/redirect/status/200', '/status/200');
      expect(redirects).toEqual(['/redirect/status/200', '/status/200']);
      await traces.expect(runOf(client('GET', 302), client('GET', 302), client('GET', 200)));
    });
  });

  it('for each attempt of an application that sends its configuration again', async () => {
    await withHttpService(async (app, http) => {
      const { run, target, traces } = app;
      const again: AxiosRequestConfig[] = [];
      http.axiosRef.interceptors.response.use(undefined, (error: { config: AxiosRequestConfig }) => {
        again.push(error.config);
        return http.axiosRef.request({ ...error.config, url: `${target.url}/ok` });
      });
      await run(() => http.axiosRef.post(`${target.url}/status/503`, { a: 1 }));
      await expectEachCarried(app, '/status/503', '/ok');
      expect(again[0]!.transformRequest).toEqual(axios.defaults.transformRequest);
      await traces.expect(runOf(client('POST', 503), client('POST', 200)));
    });
  });

  it('where the request fails', async () => {
    await withHttpService(async (app, http) => {
      const { run, target, traces } = app;
      const port = await freePort();
      await expect(run(() => get(http, `http://127.0.0.1:${port}/`))).rejects.toThrow('ECONNREFUSED');
      const message = `Error: connect ECONNREFUSED 127.0.0.1:${port}`;
      await traces.expect(runOf(broken('GET', undefined, 'ECONNREFUSED', message)));
      const controller = new AbortController();
      const aborted = run(async () => {
        const answer = get(http, `${target.url}/hang`, { signal: controller.signal });
        await target.reached('/hang');
        controller.abort();
        await answer;
      });
      await expect(aborted).rejects.toThrow('canceled');
      await expectEachCarried(app, '/hang');
      await traces.expect(runOf(cancelled('GET')));
    });
  });

  it.each<[string, string, AxiosRequestConfig]>([
    ['its URL is none', 'http://[', {}],
    ['its scheme is not known', 'gopher://a.test/', {}],
    ['its caller has given up before', 'http://a.test/', { signal: AbortSignal.abort() }],
  ])('but there is no span where no request is made: %s', async (_name, url, config) => {
    await withHttpService(async ({ run, traces }, http) => {
      await expect(run(() => get(http, url, config))).rejects.toThrow();
      await traces.until((spans) => spans.length === 2);
      expect(clientSpans(traces.spans)).toEqual([]);
    });
  });

  it('except through an adapter of the application, on Node 20: there it is the span around it', async () => {
    await withHttpService(async ({ run, target, traces }, http) => {
      const adapter = getAdapter('http');
      await run(() => get(http, `${target.url}/ok`, { adapter: (config) => adapter(config) }));
      await traces.until((spans) => spans.length === 3);
      const [span] = clientSpans(traces.spans);
      expectCarried(target.only('/ok'), nodePropagates ? span : traces.named('WorkController.work'));
      await traces.expect(runOf(client('GET', 200)));
    });
  });
});

describe('a redirect of HttpService', () => {
  it.each<[string, (port: string) => HttpClientOptions, number]>([
    ['propagateTo leaves out', (port) => ({ propagateTo: ({ url }) => url.port !== port }), 2],
    ['ignore names', (port) => ({ ignore: ({ url }) => url.port === port }), 1],
  ])('to a host that %s carries nothing', async (_name, rules, requests) => {
    const other = await HttpTarget.start();
    await withHttpService(
      async ({ run, target, traces }, http) => {
        await run(() => get(http, `${target.url}/away?${encodeURIComponent(`${other.url}/ok`)}`));
        await traces.until((spans) => spans.length === requests + 2);
        expectCarried(target.received[0]!, clientSpans(traces.spans)[0]);
        expectBare(other.only('/ok'));
      },
      { client: rules(String(other.port)) },
    );
    await other.stop();
  });
});

describe('HttpService of any module', () => {
  @Injectable()
  class Shop {
    constructor(readonly http: HttpService) {}
  }

  const modules: [string, () => object][] = [
    ['as it is', () => HttpModule],
    ['with options', () => HttpModule.register({ timeout: 1000 })],
    ['with options that come later', () => HttpModule.registerAsync({ useFactory: async () => ({ timeout: 1000 }) })],
  ];

  it.each(modules)('that is loaded lazily: %s', async (_name, httpModule) => {
    @Module({ imports: [httpModule() as never], providers: [Shop], exports: [Shop] })
    class LazyModule {}

    await withClientApp({}, async (app) => {
      const loader = app.app.get(LazyModuleLoader);
      for (const path of ['/ok/1', '/ok/2']) {
        await app.run(async () => get((await loader.load(() => LazyModule)).get(Shop).http, app.target.url + path));
        await expectEachCarried(app, path);
        app.traces.take();
      }
    });
  });

  it('that is made for each request', async () => {
    @Controller()
    class ScopedController {
      constructor(private readonly http: HttpService) {}

      @Get('scoped')
      async scoped(): Promise<string> {
        const response = await get(this.http, '/ok');
        return String(response.config.headers.get('x-asked'));
      }
    }

    const target = await HttpTarget.start();
    const useFactory = ({ url }: { url: string }) => ({ baseURL: target.url, headers: { 'x-asked': url } });
    const imports = [HttpModule.registerAsync({ useFactory, inject: [REQUEST] })];
    await withClientApp({ imports, controllers: [ScopedController] }, async ({ request, traces }) => {
      for (const path of ['/scoped?1', '/scoped?2']) {
        expect((await request(path)).body).toBe(path);
        await traces.until((spans) => spans.length === 3);
        expectCarried(target.received.at(-1)!, clientSpans(traces.take())[0]);
      }
    });
    await target.stop();
  });

  it('whose client is replaced while the application starts', async () => {
    @Injectable()
    class Replacing implements OnModuleInit {
      constructor(readonly http: HttpService) {}
      onModuleInit(): void {
        Object.assign(this.http, { instance: createAxios() });
      }
    }
    const metadata = { imports: [HttpModule.register({})], providers: [Replacing] };
    await withClientApp(metadata, async (app) => {
      await app.run(() => get(app.app.get(Replacing).http, `${app.target.url}/ok`));
      await expectEachCarried(app, '/ok');
    });
  });

  it('leaves the loader of modules as it was', async () => {
    await withClientApp({}, async ({ app }) => {
      const loader = app.get(LazyModuleLoader);
      expect(Object.keys(loader)).not.toContain('load');
      expect(loader.load.name).toBe('load');
      expect(loader.load).toHaveLength(LazyModuleLoader.prototype.load.length);
      await expect(loader.load(() => Promise.reject(new Error('not there')))).rejects.toThrow('not there');
      const mock = jest.spyOn(LazyModuleLoader.prototype, 'load').mockResolvedValue({} as ModuleRef);
      const loaded = await loader.load(() => Object);
      expect([loaded, mock.mock.calls.length]).toEqual([{}, 1]);
      mock.mockRestore();
    });
  });
});

describe('two applications that share a client', () => {
  it('send each request with one span', async () => {
    const imports = [HttpModule];
    await withClientApp({ imports }, async (first) => {
      await withClientApp({ imports }, async (second) => {
        await second.run(() => axios.get(`${second.target.url}/ok`));
        // Its spans go to the provider of the application that started first.
        await first.traces.until((spans) => spans.length === 3);
        expectCarried(second.target.only('/ok'), clientSpans(first.traces.spans)[0]);
        await first.traces.expect(runOf(client('GET', 200)));
      });
      await first.run(() => axios.get(`${first.target.url}/ok`));
      await first.traces.until((spans) => spans.length === 3);
      expectCarried(first.target.only('/ok'), clientSpans(first.traces.spans)[0]);
      await first.traces.expect(runOf(client('GET', 200)));
    });
  });
});
