import { describe, expect, it } from '@jest/globals';
import { Controller, Get, type INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import type { Span } from '@opentelemetry/api';
import { Registry } from 'prom-client';
import { once } from 'node:events';
import { IncomingMessage, request as sendRequest, ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { join } from 'node:path';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { httpPlatforms, startHttpApp, withHttpApp, type HttpAppOptions } from '../support/http-app.js';
import { handler, server } from '../support/trace-tree.js';
import { unhandledRejections } from '../support/unhandled-rejections.js';

@Controller('things')
class ThingsController {
  @Get(':id')
  one(): string {
    return 'thing';
  }
}

const controllers = [ThingsController];

/** The faults of functions in the options, and of code around a request. */
const faults: Record<string, NonNullable<Exclude<HttpAppOptions['tracing'], false>>> = {
  'an async http.ignore': { http: { ignore: (async () => true) as never } },
  'an http.ignore that rejects': { http: { ignore: (() => Promise.reject(new Error('no'))) as never } },
  'an http.ignore that throws': { http: { ignore: fail } },
  'an async http.trustIncoming': { http: { trustIncoming: (async () => true) as never } },
  'a requestHook that freezes the span': { http: { requestHook: (span: Span) => void Object.freeze(span) } },
  'a requestHook that rejects': { http: { requestHook: () => Promise.reject(new Error('no')) } },
  'a responseHook that throws': { http: { responseHook: fail } },
  'a spanName that is async': { http: { spanName: (async () => 'name') as never } },
  'a spanName that throws': { http: { spanName: fail } },
  'an isRecording() that throws': {
    http: { requestHook: (span: Span) => void Object.assign(span, { isRecording: fail }) },
  },
  'an end() that throws': { http: { requestHook: (span: Span) => void Object.assign(span, { end: fail }) } },
};

function fail(): never {
  throw new Error('broken by the application');
}

describe.each(httpPlatforms)('a request on %s', (platform) => {
  it.each(Object.entries(faults))('is answered and counted in spite of %s', async (_name, tracing) => {
    const registry = new Registry();
    const metrics = { registry, path: false as const, defaultMetrics: false };
    const unhandled = await unhandledRejections(() =>
      withHttpApp(platform, { controllers, tracing: { ...tracing, metrics } }, async (http) => {
        expect(await http.request('/things/1')).toMatchObject({ status: 200, body: 'thing' });
        const text = await registry.metrics();
        expect(text).toMatch(/^http_server_request_duration_seconds_count\{[^}]*\} 1$/m);
        expect(text).toMatch(/^http_server_active_requests\{[^}]*\} 0$/m);
        http.traces.reset();
      }),
    );
    expect(unhandled).toEqual([]);
  });

  it('is traced in spite of an async http.ignore, which would ignore everything', async () => {
    const tracing = faults['an async http.ignore']!;
    await withHttpApp(platform, { controllers, tracing }, async (http) => {
      await http.request('/things/1');
      await http.traces.expect(server('GET /things/:id', 200, handler('ThingsController.one')));
    });
  });
});

/** A request and a response as adapters for serverless hosts make them: without a connection. */
function madeUp(socket: unknown): { request: IncomingMessage; response: ServerResponse; body: () => string } {
  const request = Object.assign(new IncomingMessage(new Duplex() as never), {
    method: 'GET',
    url: '/things/7',
    httpVersion: '1.1',
    complete: true,
    headers: { host: 'api.example' },
    socket,
    connection: socket,
  });
  request.push(null);
  const response = new ServerResponse(request);
  const written: string[] = [];
  const sink = Object.assign(
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        written.push(chunk.toString('latin1'));
        done();
      },
    }),
    { remoteAddress: undefined, cork() {}, uncork() {} },
  );
  response.assignSocket(sink as never);
  return { request, response, body: () => written.join('') };
}

describe('a request on Express that came over no connection', () => {
  const whole = server('GET /things/:id', 200, handler('ThingsController.one'));
  const withoutRoute = { ...server('GET', 200), attributes: { 'http.response.status_code': 200 } };

  it.each([
    ['a plain object', whole, { remoteAddress: '192.0.2.1', encrypted: true }],
    ['an empty object', whole, {}],
    ['nothing', whole, undefined],
    [
      'an object that throws',
      withoutRoute,
      new Proxy(
        {},
        {
          get(_target, key) {
            if (key === 'remoteAddress' || key === 'once') fail();
            return undefined;
          },
        },
      ),
    ],
  ])('is answered as ever, and traced where it can be, with %s for a socket', async (_name, expected, socket) => {
    const http = await startHttpApp('Express', { controllers });
    try {
      const { request, response, body } = madeUp(socket);
      const finished = once(response, 'finish');
      (http.app.getHttpAdapter().getInstance() as (...args: unknown[]) => void)(request, response);
      await finished;
      expect(response.statusCode).toBe(200);
      expect(body()).toContain('thing');
      await http.traces.expect(expected);
    } finally {
      await http.close();
    }
  });
});

describe('a request on Express', () => {
  it('is answered where the framework throws when it is asked who has sent it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'nestjs-tracing-'));
    const path = join(folder, 'socket');
    const registry = new Registry();
    const metrics = { registry, path: false as const, defaultMetrics: false };
    const prepare = (app: INestApplication) => {
      // Behind a proxy on the same host, a request has no remote address.
      (app as NestExpressApplication).set('trust proxy', (address: string) => address.startsWith('10.'));
    };
    const http = await startHttpApp('Express', { controllers, prepare, tracing: { metrics } });
    const behindProxy = http.app.getHttpServer();
    try {
      await new Promise<void>((resolve) => behindProxy.close(() => resolve()));
      behindProxy.listen(path);
      await once(behindProxy, 'listening');
      const request = sendRequest({ socketPath: path, path: '/things/1', agent: false }).end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      await once(response, 'end');
      expect(response.statusCode).toBe(200);
      await http.traces.until((spans) => spans.some(({ name }) => name === 'GET /things/:id'));
      http.traces.reset();
      expect(await registry.metrics()).toMatch(/^http_server_request_duration_seconds_count\{[^}]*\} 1$/m);
    } finally {
      await http.close();
      rmSync(folder, { recursive: true });
    }
  });
});
