import { createServer, get, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  HttpException,
  Injectable,
  Module,
  Param,
  type INestApplication,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api-logs';
import { Span, SpanAttribute, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { TraceRecorder, TracingTestModule, type TraceRecorderOptions } from 'nestjs-tracing/testing';
import { isTracingOff } from '../../lib/core/tracer.js';
import { createAdapter, httpPlatforms, type Platform } from '../support/http-app.js';
import { waitFor } from '../support/wait-for.js';

/** The options that a configuration service would return. None of the tests may export anything. */
let options: TracingOptions;
/** A server that is none of the application: a backend for spans, or another service. */
let other: Server;
let otherUrl: string;
let requestsToOther: (string | undefined)[];
const apps: INestApplication[] = [];

@Injectable()
class CatsService implements OnModuleInit, OnApplicationShutdown {
  constructor(private readonly tracing: TracingService) {}

  async onModuleInit(): Promise<void> {
    await (await fetch(`${otherUrl}/at-start`)).text();
  }

  @Span()
  async find(@SpanAttribute('cat.id') id: string): Promise<string> {
    await Promise.resolve();
    if (id === '0') throw new HttpException('no such cat', 404);
    return this.tracing.span('load', () => `cat ${id}`);
  }

  @Span()
  onApplicationShutdown(): void {}
}

@Controller('cats')
class CatsController {
  constructor(private readonly cats: CatsService) {}

  @Get(':id')
  one(@Param('id') id: string): Promise<string> {
    return this.cats.find(id);
  }

  @Get(':id/photo')
  async photo(): Promise<string> {
    return (await fetch(`${otherUrl}/photo`)).text();
  }
}

@Module({
  imports: [TracingModule.forRootAsync({ useFactory: async () => Promise.resolve(options) })],
  controllers: [CatsController],
  providers: [CatsService],
})
class AppModule {}

beforeEach(async () => {
  requestsToOther = [];
  other = createServer((request, response) => {
    requestsToOther.push(request.url);
    response.end('photo');
  }).listen(0, '127.0.0.1');
  await once(other, 'listening');
  otherUrl = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  options = { serviceName: 'cats', exporter: { type: 'otlp', endpoint: otherUrl } };
});

afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
  other.closeAllConnections();
  await new Promise((resolve) => other.close(resolve));
});

async function start(
  recorder: TraceRecorder | TraceRecorderOptions = {},
  platform: Platform = 'Express',
): Promise<{ app: INestApplication; url: string; traces: TraceRecorder }> {
  const testing = await Test.createTestingModule({
    imports: [AppModule, TracingTestModule.record(recorder)],
  }).compile();
  const app = testing.createNestApplication(createAdapter(platform), { logger: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  return { app, url: `http://127.0.0.1:${port}`, traces: app.get(TraceRecorder) };
}

async function close(app: INestApplication): Promise<void> {
  apps.splice(apps.indexOf(app), 1);
  await app.close();
}

async function request(url: string): Promise<number> {
  const response = await fetch(url);
  await response.text();
  return response.status;
}

/** Sends a request as superagent does, and with it supertest. */
async function requestByNode(url: string): Promise<void> {
  const [response] = await once(get(url, { agent: false }), 'response');
  response.resume();
  await once(response, 'end');
}

const FOUND = 'GET /cats/:id  SERVER\n  CatsController.one\n    CatsService.find\n      load';

describe.each(httpPlatforms)('a recorder, on %s', (platform) => {
  it('has the spans of requests, and none of those that the test sends', async () => {
    const { traces, url } = await start({}, platform);
    traces.reset();
    await request(`${url}/cats/7`);
    await requestByNode(`${url}/cats/8`);
    await traces.settled();
    expect(traces.trees()).toEqual([FOUND, FOUND]);
    expect(traces.get('CatsService.find').attributes).toMatchObject({ 'cat.id': '7' });
  });

  it('has the requests that the application itself sends', async () => {
    const { traces, url } = await start({}, platform);
    await request(`${url}/cats/7/photo`);
    await traces.settled();
    expect(traces.trees()).toEqual([
      'GET  CLIENT',
      'GET /cats/:id/photo  SERVER\n  CatsController.photo\n    GET  CLIENT',
    ]);
  });

  it('has exceptions, and shows them', async () => {
    const { traces, url } = await start({}, platform);
    traces.reset();
    expect(await request(`${url}/cats/0`)).toBe(404);
    await traces.settled();
    expect(traces.trees({ attributes: ['http.response.status_code', 'cat.id'] })).toEqual([
      [
        'GET /cats/:id  SERVER  http.response.status_code=404',
        '  ✗ CatsController.one',
        '    ✗ CatsService.find  HttpException: no such cat  cat.id=0',
      ].join('\n'),
    ]);
  });
});

describe('a recorder', () => {
  it('records every span, and exports none, whatever the application is configured to do', async () => {
    options = {
      ...options,
      enabled: false,
      sampler: 'always_off',
      exporter: [{ type: 'otlp', endpoint: otherUrl, protocol: 'http/json' }, 'console'],
      batch: { scheduledDelay: 1 },
      logs: { export: { endpoint: otherUrl } },
    };
    const { app, traces, url } = await start();
    traces.reset();
    await request(`${url}/cats/7`);
    logs.getLogger('appender').emit({ body: 'a line' });
    await close(app);
    expect(traces.trees()[0]).toBe(FOUND);
    expect(requestsToOther).toEqual(['/at-start']);
  });

  it('samples as a test asks for', async () => {
    options = { ...options, tracer: 'builtin' };
    const { traces, url } = await start({ sampler: { ratio: 0, keep: { errors: true } } });
    await request(`${url}/cats/7`);
    await request(`${url}/cats/0`);
    await traces.settled();
    expect(traces.trees()).toEqual([
      'GET /cats/:id  SERVER\n  ✗ CatsController.one\n    ✗ CatsService.find  HttpException: no such cat',
    ]);
    expect(traces.spans().map(({ name }) => name)).toEqual(['GET /cats/:id', 'CatsController.one', 'CatsService.find']);
  });

  it('leaves the rest of the options as they are', async () => {
    options = { ...options, http: { ignore: ['/cats/7'], client: { ignore: ['127.0.0.1'] } } };
    const { traces, url } = await start();
    await request(`${url}/cats/7`);
    await request(`${url}/cats/7/photo`);
    await traces.settled();
    expect(traces.trees()).toEqual(['GET /cats/:id/photo  SERVER\n  CatsController.photo']);
  });

  it('refuses options of the application that cannot be used', async () => {
    options = { ...options, serviceNam: 'cats' } as TracingOptions;
    const testing = Test.createTestingModule({ imports: [AppModule, TracingTestModule.record()] });
    await expect(testing.compile()).rejects.toThrow('Tracing option "serviceNam" is "cats"');
  });

  it('says what is missing if the application does not import TracingModule', async () => {
    const testing = Test.createTestingModule({ imports: [TracingTestModule.record()] });
    await expect(testing.compile()).rejects.toThrow(
      'Tracing option "imports" is a function (TracingTestModule). There is no TracingModule whose spans could be recorded.',
    );
  });

  it('has spans without an application that runs', async () => {
    const testing = await Test.createTestingModule({
      imports: [TracingModule.forRoot(), TracingTestModule.record()],
      providers: [CatsService],
    }).compile();
    await testing.get(CatsService).find('7');
    expect(testing.get(TraceRecorder).trees()).toEqual(['CatsService.find\n  load']);
    await testing.close();
  });

  it('has the spans of the shutdown', async () => {
    const { app, traces } = await start();
    traces.reset();
    await close(app);
    expect(traces.trees()).toEqual(['CatsService.onApplicationShutdown']);
  });

  it('forgets at a reset, and does not remember what ends afterwards', async () => {
    const { app, traces } = await start();
    const span = app.get(TracingService).startSpan('open');
    expect(traces.openSpans()).toMatchObject([{ name: 'open' }]);
    traces.reset();
    span.end();
    expect({ finished: traces.spans(), open: traces.openSpans() }).toEqual({ finished: [], open: [] });
  });

  it('leaves nothing behind', async () => {
    const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)]);
    options = { ...options, shutdown: { onProcessExit: true } };
    const before = listeners();
    const { app } = await start();
    expect(isTracingOff()).toBe(false);
    await close(app);
    expect({ isOff: isTracingOff(), listeners: listeners() }).toEqual({ isOff: true, listeners: before });
  });
});

describe('waiting', () => {
  it('lasts until the spans have ended', async () => {
    const { app, traces } = await start();
    traces.reset();
    const tracing = app.get(TracingService);
    const parent = tracing.startSpan('parent');
    const seen: string[] = [];
    const waits = [
      traces.settled().then(() => seen.push('settled')),
      traces.waitForSpan('child').then(({ name }) => seen.push(name)),
      traces.waitForSpans(2).then((spans) => seen.push(spans.map(({ name }) => name).join(' and '))),
      traces.waitForTrace(/^chi/).then((spans) => seen.push(`trace of ${spans.length}`)),
    ];
    tracing.startSpan('child', { parent: trace.setSpan(ROOT_CONTEXT, parent) }).end();
    await waits[1];
    expect(seen).toEqual(['child']);
    parent.end();
    await Promise.all(waits);
    expect(seen.toSorted()).toEqual(['child', 'parent and child', 'settled', 'trace of 2']);
  });

  it('fails with what was recorded, when the time is up', async () => {
    const { app, traces } = await start({ timeout: 20 });
    traces.reset();
    const span = app.get(TracingService).startSpan('never ends');
    await expect(traces.settled()).rejects.toThrow(
      'Waited 20 ms until all spans have ended.\nThese spans were recorded:\n\n… never ends\n',
    );
    await expect(traces.waitForSpan({ name: /x/, kind: 'SERVER' })).rejects.toThrow(
      'Waited 20 ms for a span that matches {"name":"/x/","kind":"SERVER"}.',
    );
    await expect(traces.waitForSpans(3)).rejects.toThrow('Waited 20 ms for 3 spans.');
    traces.reset();
    expect(() => traces.get('GET /')).toThrow('No span matches "GET /".\nNo span was recorded.');
    span.end();
  });
});

describe('ids and time', () => {
  it('are fixed if a test asks for it, and again after a reset', async () => {
    const { traces, url } = await start({ ids: 'sequential', time: new Date('2026-01-01T12:00:00Z') });
    for (let round = 0; round < 2; round++) {
      traces.reset();
      await request(`${url}/cats/7`);
      await traces.settled();
      expect(traces.spans().map(({ attributes: _, ...span }) => span)).toEqual([
        span('GET /cats/:id', '3', undefined, { kind: 'SERVER' }),
        span('CatsController.one', '4', '3'),
        span('CatsService.find', '5', '4'),
        span('load', '6', '5'),
      ]);
    }
  });

  it('begin again although a span is open', async () => {
    const { app, traces } = await start({ ids: 'sequential' });
    const tracing = app.get(TracingService);
    traces.reset();
    const before = tracing.startSpan('before');
    traces.reset();
    const after = tracing.startSpan('after');
    expect(before.spanContext()).toMatchObject({ spanId: after.spanContext().spanId });
    before.end();
    expect({ spans: traces.spans(), open: traces.openSpans() }).toMatchObject({
      spans: [],
      open: [{ name: 'after', duration: NaN }],
    });
    after.end();
    expect(traces.trees()).toEqual(['after']);
  });

  it('are those of the next application afterwards', async () => {
    await close((await start({ ids: 'sequential', time: 0 })).app);
    const { traces, url } = await start();
    traces.reset();
    const before = Date.now();
    await request(`${url}/cats/7`);
    await traces.settled();
    const { spanId, startTime, traceId } = traces.get('load');
    expect(traceId + spanId).not.toContain('00000000');
    expect(startTime.getTime()).toBeGreaterThanOrEqual(before - 1);
  });

  function span(name: string, id: string, parent: string | undefined, more: object = {}): object {
    return {
      name,
      kind: 'INTERNAL',
      status: 'UNSET',
      statusMessage: undefined,
      events: [],
      links: [],
      traceId: '00000000000000010000000000000002',
      spanId: id.padStart(16, '0'),
      parentSpanId: parent?.padStart(16, '0'),
      startTime: new Date('2026-01-01T12:00:00Z'),
      duration: 0,
      ...more,
    };
  }
});

describe('several applications', () => {
  it('have a recorder each, one after the other', async () => {
    for (const id of ['1', '2']) {
      const { app, traces, url } = await start();
      await request(`${url}/cats/${id}`);
      await close(app);
      expect(traces.spans().filter(({ name }) => name === 'CatsService.find')).toMatchObject([
        { attributes: { 'cat.id': id } },
      ]);
    }
  });

  it('have a recorder each, although the first was not closed', async () => {
    const first = await start();
    const second = await start();
    first.traces.reset();
    second.traces.reset();
    await request(`${second.url}/cats/2`);
    await second.traces.settled();
    expect({ first: first.traces.trees(), second: second.traces.trees() }).toEqual({ first: [], second: [FOUND] });
    await close(second.app);
    second.traces.reset();
    await request(`${first.url}/cats/1`);
    await first.traces.settled();
    expect({ first: first.traces.trees(), second: second.traces.trees() }).toEqual({ first: [FOUND], second: [] });
  });

  it('share a recorder, and their trace is one', async () => {
    const traces = new TraceRecorder();
    const called = await start(traces);
    otherUrl = `${called.url}/cats/7?`;
    const caller = await start(traces);
    traces.reset();
    await request(`${caller.url}/cats/1/photo`);
    await traces.settled();
    const below = FOUND.split('\n').map((line) => `      ${line}`);
    expect(traces.trees()).toEqual([
      ['GET /cats/:id/photo  SERVER', '  CatsController.photo', '    GET  CLIENT', ...below].join('\n'),
    ]);
  });
});

describe('without a recorder', () => {
  it('a unit test as the command line of Nest generates it passes with one line', async () => {
    const module = await Test.createTestingModule({ imports: [TracingTestModule], providers: [CatsService] }).compile();
    const service = module.get(CatsService);
    expect(service).toBeDefined();
    expect(await service.find('7')).toBe('cat 7');
    const tracing = module.get(TracingService);
    expect(tracing.startSpan('x').isRecording()).toBe(false);
    expect(tracing.span('x', (span) => span.isRecording())).toBe(false);
    expect({ active: tracing.activeSpan, isOff: isTracingOff() }).toEqual({ active: undefined, isOff: true });
  });

  it('an application is not traced, and exports nothing', async () => {
    options = { ...options, batch: { scheduledDelay: 1 } };
    const testing = await Test.createTestingModule({ imports: [AppModule, TracingTestModule] }).compile();
    const app = testing.createNestApplication();
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    expect(await request(`http://127.0.0.1:${port}/cats/7`)).toBe(200);
    expect(isTracingOff()).toBe(true);
    await app.close();
    await waitFor({ expected: 'the request of the start', look: () => requestsToOther.length > 0 });
    expect(requestsToOther).toEqual(['/at-start']);
  });
});
