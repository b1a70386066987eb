/** Caches of @nestjs/cache-manager: in memory, and in Redis over a real socket. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import KeyvRedis from '@keyv/redis';
import { CACHE_MANAGER, CacheInterceptor, CacheModule, type Cache } from '@nestjs/cache-manager';
import { Controller, Get, UseInterceptors } from '@nestjs/common';
import { Keyv } from 'keyv';
import type { TracingOptions } from 'nestjs-tracing';
import { TracingService } from 'nestjs-tracing';
import { WorkController } from '../support/client-app.js';
import { runOf, withDataApp, type DataApp } from '../support/data-app.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { command, exportedText } from '../support/redis-spans.js';
import { Scrape } from '../support/scrape.js';
import type { ExpectedSpan } from '../support/trace-tree.js';
import { unhandledRejections } from '../support/unhandled-rejections.js';

@Controller()
class PagesController {
  @Get('page')
  @UseInterceptors(CacheInterceptor)
  show(): string {
    return 'text';
  }
}

async function withCache(
  { tracing = {}, stores }: { tracing?: Omit<TracingOptions, 'exporter'> | false; stores?: Keyv[] },
  use: (app: DataApp, cache: Cache) => Promise<void>,
): Promise<void> {
  const imports = [CacheModule.register(stores ? { stores } : {})];
  await withDataApp({ tracing, imports, controllers: [WorkController, PagesController] }, (app) =>
    use(app, app.app.get<Cache>(CACHE_MANAGER)),
  );
}

function cacheSpan(operation: string, hit?: boolean, ...children: ExpectedSpan[]): ExpectedSpan {
  const attributes = {
    'db.system.name': 'cache-manager',
    'db.operation.name': operation,
    'db.query.text': undefined,
    'cache.hit': hit,
  };
  return { name: `cache ${operation}`, attributes, children };
}

describe('a cache in memory', () => {
  it('has a span for each call, with hit or miss', async () => {
    await withCache({}, async ({ run, traces }, cache) => {
      await run(async () => {
        await cache.get('user:secret');
        await cache.set('user:secret', 'secret');
        await cache.get('user:secret');
        await cache.mget(['user:secret']);
        await cache.del('user:secret');
        await cache.clear();
      });
      await traces.until((spans) => spans.length === 8);
      expect(exportedText(traces.spans)).not.toContain('secret');
      await traces.expect(
        runOf(
          cacheSpan('get', false),
          cacheSpan('set'),
          cacheSpan('get', true),
          cacheSpan('mget'),
          cacheSpan('del'),
          cacheSpan('clear'),
        ),
      );
    });
  });

  it('has what computes a missing value below its span', async () => {
    await withCache({}, async ({ app, run, traces }, cache) => {
      const tracing = app.get(TracingService);
      const load = () => cache.wrap('user:7', () => tracing.span('load', () => ({ name: 'x' })));
      expect(await run(load)).toEqual({ name: 'x' });
      expect(await run(load)).toEqual({ name: 'x' });
      await traces.expect(runOf(cacheSpan('wrap', false, { name: 'load' })), runOf(cacheSpan('wrap', true)));
    });
  });

  it.each([
    ['throws', true],
    ['rejects', false],
  ])('shows the error with which the function that computes a value %s', async (_, throws) => {
    await withCache({}, async ({ app, run, traces }, cache) => {
      const fail = () => {
        const error = new RangeError('no such user');
        if (throws) throw error;
        return Promise.reject(error);
      };
      const find = () => app.get(TracingService).span('find', () => cache.wrap('user:7', fail));
      const error = await run(find).catch((thrown: unknown) => thrown);
      expect((error as Error).stack).not.toMatch(/cache-manager\/instrument-cache/);
      const wrap = cacheSpan('wrap', undefined);
      await traces.expect(
        runOf({
          name: 'find',
          status: 'ERROR: no such user',
          events: ['exception RangeError: no such user'],
          children: [{ ...wrap, status: 'ERROR', attributes: { ...wrap.attributes, 'error.type': 'RangeError' } }],
        }),
      );
    });
  });

  it('takes null for a missing value, as Nest does', async () => {
    const method = () => Promise.resolve(null);
    const old = { get: method, set: method, del: method, mget: method, wrap: method, stores: [{ store: new Map() }] };
    await withDataApp({ providers: [{ provide: 'OLD', useFactory: () => old }] }, async ({ run, traces }) => {
      expect(await run(() => old.get())).toBeNull();
      await traces.expect(runOf(cacheSpan('get', false)));
    });
  });

  it('has its spans below the request that Nest caches', async () => {
    await withCache({}, async ({ request, traces }) => {
      await request('/page');
      await request('/page');
      await traces.until((spans) => spans.length >= 6);
      const hits = traces.spans
        .filter(({ name }) => name === 'cache get')
        .map(({ attributes }) => attributes['cache.hit']);
      expect(hits).toEqual([false, true]);
      const servers = new Set(traces.spans.filter(({ kind }) => kind === 1).map((span) => span.spanContext().traceId));
      expect(traces.spans.every((span) => servers.has(span.spanContext().traceId))).toBe(true);
    });
  });

  it('has no span outside of any span, and none if the application wants none', async () => {
    for (const data of [{}, { cache: false }, { ignore: 'get' }] as const) {
      await withCache({ tracing: { data } }, async ({ run, traces }, cache) => {
        await cache.get('user:7');
        await run(async () => {
          if (data !== undefined && Object.keys(data).length > 0) await cache.get('user:7');
        });
        await traces.expect(runOf());
      });
    }
  });

  it('is measured', async () => {
    await withCache({ tracing: { metrics: {} } }, async ({ run, url }, cache) => {
      await run(() => cache.get('user:7'));
      const name = 'db_client_operation_duration_seconds';
      const scrape = await Scrape.counted(`${url}/metrics`, name, 1);
      expect(scrape.labels(`${name}_count`)).toEqual([{ db_system_name: 'cache-manager', db_operation_name: 'get' }]);
    });
  });

  it('that is only measured leaves what computes a missing value as it is', async () => {
    await withCache({ tracing: { metrics: {} } }, async ({ app, traces }, cache) => {
      await cache.wrap('user:7', () => app.get(TracingService).span('load', () => 'x'));
      await traces.expect({ name: 'load' });
    });
  });

  it('gives the same results, errors and unhandled rejections, with and without tracing', async () => {
    const results: unknown[] = [];
    for (const tracing of [{}, false] as const) {
      await withCache({ tracing }, async ({ run }, cache) => {
        const failure = new RangeError('secret');
        const fail = () => cache.wrap('missing', () => Promise.reject(failure));
        await expect(run(fail)).rejects.toBe(failure);
        const reasons = await unhandledRejections(() => run(() => void fail()));
        const values = await run(() =>
          Promise.all([cache.set('a', 1), cache.get('a'), cache.mget(['a', 'b']), cache.del('a')]),
        );
        results.push([values, reasons.map(String), Object.keys(cache)]);
      });
    }
    expect(results[0]).toEqual(results[1]);
  });

  it('has the same methods after the application has shut down', async () => {
    let before: unknown[] = [];
    let found: Cache | undefined;
    await withCache({ tracing: false }, async (_, cache) => {
      before = [cache.get, cache.wrap];
      await withDataApp({ providers: [{ provide: 'CACHE', useFactory: () => cache }] }, async () => {
        expect([cache.get, cache.wrap]).not.toEqual(before);
        await Promise.resolve();
      });
      found = cache;
    });
    expect([found!.get, found!.wrap]).toEqual(before);
  });
});

describe('a cache in Redis', () => {
  let server: RedisServer;

  beforeAll(async () => {
    server = await startRedisServer();
  });

  afterAll(() => server.stop());

  it('has the spans of Redis alone', async () => {
    const stores = [new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${server.port}`) })];
    await withCache({ stores }, async ({ run, traces }, cache) => {
      await run(async () => {
        await cache.set('user:7', 'secret-value');
        expect(await cache.get('user:7')).toBe('secret-value');
      });
      await traces.until((spans) => spans.length === 4);
      expect(exportedText(traces.spans)).not.toContain('secret');
      await traces.expect(runOf(command(server, 'SET'), command(server, 'GET')));
    });
  });

  it('has no span for a value that it finds in memory first', async () => {
    const stores = [new Keyv(), new Keyv({ store: new KeyvRedis(`redis://127.0.0.1:${server.port}`) })];
    await withCache({ stores }, async ({ run, traces }, cache) => {
      await run(() => cache.set('user:8', 'x'));
      await run(() => cache.get('user:8'));
      await traces.expect(runOf(command(server, 'SET')), runOf());
    });
  });
});
