import {
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  InternalServerErrorException,
  Param,
  Post,
  Sse,
  UseGuards,
  type CanActivate,
} from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import { NoSpan, type TracingOptions } from 'nestjs-tracing';
import { Subject } from 'rxjs';
import { httpPlatforms, startHttpApp, untraced, type HttpApp } from '../support/http-app.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';

const DURATION = 'http_server_request_duration_seconds';
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, Infinity];

const ticks = new Subject<{ data: string }>();

@Injectable()
class Closed implements CanActivate {
  canActivate(): boolean {
    throw new ForbiddenException();
  }
}

@Controller('users')
class UsersController {
  @Get('broken')
  broken(): never {
    throw new InternalServerErrorException();
  }

  @Get('closed')
  @UseGuards(Closed)
  closed(): void {}

  @Get('quiet')
  @NoSpan()
  quiet(): string {
    return 'quiet';
  }

  @Sse('ticks')
  ticks(): Subject<{ data: string }> {
    return ticks;
  }

  @Get(':id')
  one(@Param('id') id: string): { id: string } {
    return { id };
  }

  @Post()
  create(): string {
    return 'created';
  }
}

describe.each(httpPlatforms)('metrics of HTTP requests on %s', (platform) => {
  let http: HttpApp;

  async function start(tracing: Omit<TracingOptions, 'exporter'> = {}, prefix?: string): Promise<void> {
    http = await startHttpApp(platform, {
      controllers: [UsersController],
      tracing: { metrics: { path: '/metrics', defaultMetrics: false }, ...tracing },
      prepare: (app) => prefix !== undefined && app.setGlobalPrefix(prefix),
    });
  }
  afterEach(() => http.close());

  const scrape = () => untraced(() => Scrape.of(`${http.url}/metrics`));

  const counted = (count: number) => Scrape.counted(`${http.url}/metrics`, DURATION, count);

  describe('with the defaults', () => {
    beforeEach(() => start());

    it('are counted by method, route, status and version, and nothing that a caller chooses', async () => {
      await http.request('/users/1?secret=1');
      await http.request('/users/2');
      await http.request('/users', { method: 'POST' });
      const found = await counted(3);
      const common = { url_scheme: 'http', network_protocol_version: '1.1' };
      const labels = found.labels(`${DURATION}_count`);
      expect(labels).toHaveLength(2);
      expect(labels).toEqual(
        expect.arrayContaining([
          { ...common, http_request_method: 'GET', http_route: '/users/:id', http_response_status_code: '200' },
          { ...common, http_request_method: 'POST', http_route: '/users', http_response_status_code: '201' },
        ]),
      );
      expect(found.value(`${DURATION}_count`, { http_route: '/users/:id' })).toBe(2);
      expect(found.types.get(DURATION)).toBe('histogram');
      const bounds = found.find(`${DURATION}_bucket`, { http_route: '/users/:id' }).map(({ labels: { le } }) => le);
      expect(bounds.map((le) => (le === '+Inf' ? Infinity : Number(le)))).toEqual(BUCKETS);
    });

    it('have one label set for all that is not found, and one method for all that are unknown', async () => {
      await http.request('/wp-admin');
      await http.request('/.env');
      const raw = await RawClient.connect(http.port);
      raw.send('PURGE /users/1', ['Connection: close']);
      const found = await counted(3);
      const lost = found.find(`${DURATION}_count`, { http_response_status_code: '404', http_request_method: 'GET' });
      expect(lost.map(({ labels, value }) => [labels.http_route, value])).toEqual([[undefined, 2]]);
      expect(found.value(`${DURATION}_count`, { http_request_method: '_OTHER', http_route: undefined })).toBe(1);
    });

    it('name the error of a server, and not that of a client', async () => {
      await http.request('/users/broken');
      await http.request('/users/closed');
      const found = await counted(2);
      const count = `${DURATION}_count`;
      expect(
        found.value(count, { http_route: '/users/broken', http_response_status_code: '500', error_type: '500' }),
      ).toBe(1);
      expect(
        found.value(count, { http_route: '/users/closed', http_response_status_code: '403', error_type: undefined }),
      ).toBe(1);
    });

    it('lead to the trace: exemplars name the span, whose duration is the value', async () => {
      await http.request('/users/1');
      await http.request('/users/broken');
      const found = await counted(2);
      await http.traces.until((spans) => spans.filter(({ kind }) => kind === SpanKind.SERVER).length === 2);
      for (const route of ['/users/:id', '/users/broken']) {
        const exemplars = found.exemplars(`${DURATION}_bucket`, { http_route: route });
        expect(exemplars).toHaveLength(1);
        const [{ exemplar, labels }] = exemplars as [(typeof exemplars)[0]];
        const span = http.traces.named(`GET ${route}`);
        expect(exemplar.labels).toEqual({ trace_id: span.spanContext().traceId, span_id: span.spanContext().spanId });
        expect(exemplar.value).toBeCloseTo(span.duration[0] + span.duration[1] / 1e9, 9);
        const upper = labels.le === '+Inf' ? Infinity : Number(labels.le);
        const lower = [0, ...BUCKETS][BUCKETS.indexOf(upper)]!;
        expect(exemplar.value).toBeGreaterThan(lower);
        expect(exemplar.value).toBeLessThanOrEqual(upper);
      }
    });

    it('count the requests of a handler with @NoSpan(), and have no exemplar of them', async () => {
      await http.request('/users/quiet');
      await http.request('/users/1');
      const found = await counted(2);
      expect(found.value(`${DURATION}_count`, { http_route: '/users/quiet' })).toBe(1);
      expect(found.exemplars(`${DURATION}_bucket`).map(({ labels }) => labels.http_route)).toEqual(['/users/:id']);
      expect(http.traces.spans.filter(({ kind }) => kind === SpanKind.SERVER).map(({ name }) => name)).toEqual([
        'GET /users/:id',
      ]);
    });

    it('count the requests in flight, streams included, and those that the client gives up', async () => {
      const active = async () => (await scrape()).value('http_server_active_requests', { http_request_method: 'GET' });
      const controller = new AbortController();
      const { signal } = controller;
      const answer = await untraced(() => fetch(`${http.url}/users/ticks`, { signal }));
      expect(await active()).toBe(1);
      controller.abort();
      await answer.text().catch(() => '');
      const found = await counted(1);
      expect(found.value('http_server_active_requests', { http_request_method: 'GET' })).toBe(0);
      expect(found.value(`${DURATION}_count`, { http_route: '/users/ticks', error_type: undefined })).toBe(1);
    });

    it('do not count or trace scrapes', async () => {
      await scrape();
      await untraced(() => Scrape.of(`${http.url}/metrics?x=1`));
      const before = await scrape();
      expect(before.find(`${DURATION}_count`)).toEqual([]);
      expect(before.find('http_server_active_requests')).toEqual([]);
      await http.request('/users/1');
      const after = await counted(1);
      expect(after.labels(`${DURATION}_count`).map(({ http_route }) => http_route)).toEqual(['/users/:id']);
      expect(after.find('http_server_active_requests').map(({ value }) => value)).toEqual([0]);
      expect(http.traces.spans.filter(({ kind }) => kind === SpanKind.SERVER).map(({ name }) => name)).toEqual([
        'GET /users/:id',
      ]);
    });
  });

  it('count requests that the sampler drops, and have no exemplar of them', async () => {
    await start({ sampler: 'always_off' });
    await http.request('/users/1');
    await http.request('/users/broken');
    await http.request('/users/closed');
    const found = await counted(3);
    expect(new Set(found.labels(`${DURATION}_count`).map(({ http_route }) => http_route))).toEqual(
      new Set(['/users/:id', '/users/broken', '/users/closed']),
    );
    expect(found.samples.filter(({ exemplar }) => exemplar)).toEqual([]);
  });

  it('do not count requests that are ignored', async () => {
    await start({ http: { ignore: '/users/*' } });
    await http.request('/users/1');
    await http.request('/elsewhere');
    const found = await counted(1);
    expect(found.labels(`${DURATION}_count`).map(({ http_response_status_code }) => http_response_status_code)).toEqual(
      ['404'],
    );
  });

  it('stand outside the global prefix', async () => {
    await start({}, 'api');
    await http.request('/api/users/1');
    const found = await counted(1);
    expect(found.value(`${DURATION}_count`, { http_route: '/api/users/:id' })).toBe(1);
    expect((await http.request('/api/metrics')).status).toBe(404);
  });

  it('are not served unless an option asks for them', async () => {
    await start({ metrics: false });
    expect((await http.request('/metrics')).status).toBe(404);
  });

  it('are not served if tracing is disabled', async () => {
    await start({ enabled: false });
    expect((await http.request('/metrics')).status).toBe(404);
    expect((await http.request('/users/1')).status).toBe(200);
  });

  it('name the service, and keep to a limit of series', async () => {
    await start({
      serviceName: 'shop',
      serviceVersion: '1.2.3',
      metrics: { cardinalityLimit: 2, defaultMetrics: false },
    });
    for (const path of ['/users/1', '/users/broken', '/users/closed', '/users/quiet']) await http.request(path);
    const found = await counted(4);
    expect(found.labels('target_info')).toEqual([{ service_name: 'shop', service_version: '1.2.3' }]);
    expect(found.find(`${DURATION}_count`)).toHaveLength(3);
    const overflow = found.find(`${DURATION}_count`, { otel_metric_overflow: 'true' });
    expect(overflow.map(({ labels, value }) => [Object.keys(labels), value])).toEqual([[['otel_metric_overflow'], 2]]);
  });
});
