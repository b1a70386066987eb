import {
  Controller,
  Get,
  Inject,
  Injectable,
  Res,
  SetMetadata,
  UnauthorizedException,
  type CanActivate,
  type ExecutionContext,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MetricsEndpoint, type MetricsOptions } from 'nestjs-tracing';
import { map } from 'rxjs';
import { Counter, Gauge, Registry, type OpenMetricsContentType } from 'prom-client';
import { httpPlatforms, startHttpApp, untraced, type HttpApp, type HttpAppOptions } from '../support/http-app.js';
import { Warnings } from '../support/nest.js';
import { Scrape } from '../support/scrape.js';

const OPENMETRICS = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
const TEXT = 'text/plain; version=0.0.4; charset=utf-8';
const COUNT = 'http_server_request_duration_seconds_count';

const PROMETHEUS_2 =
  'application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1';
const PROMETHEUS_3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1';

@Controller('users')
class UsersController {
  @Get(':id')
  one(): string {
    return 'one';
  }
}

/** The calls about which a guard was asked: the type of each, and the class of its handler. */
const asked: string[] = [];

@Injectable()
class Token {
  readonly value = 'secret';
}

@Injectable()
class TokenGuard implements CanActivate {
  constructor(@Inject(Token) private readonly token: Token) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, string | undefined> }>();
    asked.push(`${context.getType()} ${context.getClass().name}`);
    if (headers.authorization !== `Bearer ${this.token.value}`) throw new UnauthorizedException();
    return true;
  }
}

@Injectable()
class LoginGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return Reflect.getMetadata('isPublic', context.getClass()) === true;
  }
}

/** A message is written once a minute in a process, so only the message of the first application appears. */
const logger = new Warnings();

describe.each(httpPlatforms)('the metrics of an application on %s', (platform) => {
  let http: HttpApp;
  async function start(metrics: MetricsOptions = {}, options: HttpAppOptions = {}): Promise<void> {
    http = await startHttpApp(platform, { controllers: [UsersController], tracing: { metrics }, ...options });
  }
  afterEach(() => http.close());

  const scrape = (accept?: string) => untraced(() => Scrape.of(`${http.url}/metrics`, accept));
  const status = (headers: Record<string, string> = {}) =>
    http.request('/metrics', { headers }).then((it) => it.status);

  it.each([
    ['Prometheus 2', PROMETHEUS_2, OPENMETRICS],
    ['Prometheus 3', PROMETHEUS_3, OPENMETRICS],
    ['who asks for OpenMetrics', 'application/openmetrics-text', OPENMETRICS],
    ['who asks for text', 'text/plain', TEXT],
    ['a browser', 'text/html,application/xhtml+xml,*/*;q=0.8', TEXT],
    ['who refuses OpenMetrics', 'application/openmetrics-text;q=0, text/plain;q=0.5', TEXT],
  ])('are for %s in the format that is asked for', async (_, accept, expected) => {
    await start();
    await http.request('/users/1');
    for (const scrapes of [1, 2]) {
      const found = await scrape(accept);
      expect([found.contentType, scrapes]).toEqual([expected, scrapes]);
      expect(found.find('process_cpu_user_seconds_total')).toHaveLength(1);
      expect(found.value('nodejs_version_info')).toBe(1);
      const exemplars = found.samples.filter(({ exemplar }) => exemplar);
      expect(exemplars).toHaveLength(expected === OPENMETRICS ? 1 : 0);
    }
  });

  it('change their format from one scrape to the next, and nothing else', async () => {
    await start();
    await http.request('/users/1');
    const [openMetrics, text, again] = [await scrape(), await scrape('text/plain'), await scrape()];
    const counters = (found: Scrape) => [...found.types].filter(([, type]) => type === 'counter').map(([name]) => name);
    const names = (found: Scrape) => [...found.types.keys()].map((name) => name.replace(/_total$/, ''));
    expect(names(text)).toEqual(names(openMetrics));
    expect(names(again)).toEqual(names(openMetrics));
    expect(counters(text)).toEqual(counters(openMetrics).map((name) => `${name}_total`));
    expect(counters(again)).toEqual(counters(openMetrics));
    expect(text.find(COUNT)).toEqual(openMetrics.find(COUNT));
  });

  it('have whole numbers as bounds in the way of each format', async () => {
    await start();
    await http.request('/users/1');
    const bounds = (found: Scrape) => found.labels('http_server_request_duration_seconds_bucket').map(({ le }) => le);
    expect(bounds(await scrape())).toEqual(expect.arrayContaining(['0.005', '1.0', '2.5', '10.0', '+Inf']));
    expect(bounds(await scrape('text/plain'))).toEqual(expect.arrayContaining(['0.005', '1', '2.5', '10', '+Inf']));
  });

  it('answer HEAD, and forbid caches to mix the formats up', async () => {
    await start();
    const { body, headers, status: code } = await http.request('/metrics', { method: 'HEAD' });
    expect([code, body, headers.get('vary'), headers.get('cache-control')]).toEqual([200, '', 'accept', 'no-store']);
  });

  it('are at a path of choice, where none of the application’s interceptors changes them', async () => {
    const wrap = { intercept: (_: unknown, next: { handle(): never }) => map((data) => ({ data }))(next.handle()) };
    await start({ path: '/internal/prometheus' }, { providers: [{ provide: APP_INTERCEPTOR, useValue: wrap }] });
    const found = await untraced(() => Scrape.of(`${http.url}/internal/prometheus`));
    expect(found.value('target_info')).toBe(1);
    expect(await status()).toBe(404);
  });

  describe('behind guards', () => {
    it('ask a guard of their own, with what DI has for it', async () => {
      asked.length = 0;
      await start({ guards: [TokenGuard] }, { providers: [TokenGuard, Token] });
      expect(await status()).toBe(401);
      expect(await status({ authorization: 'Bearer secret' })).toBe(200);
      expect(asked).toEqual(['http MetricsEndpoint', 'http MetricsEndpoint']);
      expect((await http.request('/users/1')).status).toBe(200);
    });

    it('take guards that are no providers, and guards that were made by hand', async () => {
      await start({ guards: [LoginGuard] });
      expect(await status()).toBe(403);
      await http.close();
      await start({ guards: [{ canActivate: () => Promise.resolve(false) }] });
      expect(await status()).toBe(403);
    });

    it('ask the global ones, which may let them through by what stands on the class', async () => {
      const globally = { providers: [{ provide: APP_GUARD, useClass: LoginGuard }] };
      await start({}, globally);
      expect(await status()).toBe(403);
      await http.close();
      SetMetadata('isPublic', true)(MetricsEndpoint);
      await start({}, globally);
      expect(await status()).toBe(200);
      Reflect.deleteMetadata('isPublic', MetricsEndpoint);
    });

    it('keep the process alive when a guard breaks', async () => {
      const broken = () => {
        throw new Error('the guard broke');
      };
      await start({ guards: [{ canActivate: broken }] }, { logger });
      expect(await status()).toBe(500);
      expect((await http.request('/users/1')).status).toBe(200);
    });
  });

  describe('in a registry of the application', () => {
    it('stand beside what is there already', async () => {
      const registry = new Registry();
      new Counter({ name: 'orders_total', help: 'Orders.', registers: [registry] }).inc(3);
      new Gauge({ name: 'process_cpu_user_seconds_total', help: 'Its own.', registers: [registry] }).set(7);
      registry.setDefaultLabels({ region: 'eu' });
      await start({ registry });
      await http.request('/users/1');
      const found = await scrape();
      expect(found.value('orders_total', { region: 'eu' })).toBe(3);
      expect(found.value(COUNT, { region: 'eu' })).toBe(1);
      expect(found.find('process_cpu_user_seconds_total').map(({ value }) => value)).toEqual([7]);
      expect(found.exemplars('http_server_request_duration_seconds_bucket')).toHaveLength(1);
    });

    it('are served by the application itself, in both formats of prom-client', async () => {
      const text = new Registry();
      @Controller()
      class OwnController {
        @Get('own')
        async own(@Res() response: { send(body: string): void }): Promise<void> {
          response.send(await text.metrics());
        }
      }
      await start({ registry: text, path: false }, { controllers: [UsersController, OwnController] });
      await http.request('/users/1');
      const { body } = await http.request('/own');
      expect(body).toContain(`${COUNT}{http_request_method="GET"`);
      expect(body).not.toContain('trace_id');
      expect((await http.request('/metrics')).status).toBe(404);
      await http.close();

      const openMetrics = new Registry<OpenMetricsContentType>();
      openMetrics.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
      await start({ registry: openMetrics, path: false });
      await http.request('/users/1');
      expect(await openMetrics.metrics()).toMatch(
        /_bucket\{le="[^}]*\} 1 # \{trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}"\}/,
      );
    });

    it('go on counting when the next application comes', async () => {
      const registry = new Registry();
      for (const count of [1, 2]) {
        await start({ registry });
        await http.request('/users/1');
        expect((await scrape()).value(COUNT)).toBe(count);
        if (count === 1) await http.close();
      }
    });

    it('leave a metric of the same name alone, and say so', async () => {
      const registry = new Registry();
      const other = new Gauge({ name: 'http_server_active_requests', help: 'Its own.', registers: [registry] });
      other.set(7);
      await start({ registry }, { logger });
      await http.request('/users/1');
      const found = await scrape();
      expect(found.find('http_server_active_requests').map(({ value }) => value)).toEqual([7]);
      expect(found.value(COUNT)).toBe(1);
    });

    it('answer 500 when one of its metrics breaks, and go on', async () => {
      const registry = new Registry();
      let broken = true;
      const collect = () => {
        if (broken) throw new Error('the database is gone');
      };
      registry.registerMetric(new Gauge({ name: 'rows', help: 'Rows.', registers: [], collect }));
      await start({ registry }, { logger });
      expect(await status()).toBe(500);
      broken = false;
      expect(await status()).toBe(200);
    });
  });
});

it('says what broke', () => {
  expect(logger.take()).toEqual([
    'The registry of metrics.registry already has another metric http_server_active_requests, so the one of nestjs-tracing is not registered. Rename the other metric, or give another registry.',
    'The metrics could not be collected: Error: the database is gone',
  ]);
});
