import { request as nodeRequest, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Header,
  InternalServerErrorException,
  Res,
  Sse,
  StreamableFile,
  UseGuards,
  type CanActivate,
} from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { of } from 'rxjs';
import { httpPlatforms, withHttpApp, type HttpApp, type HttpAppOptions, type Platform } from '../support/http-app.js';

/** A guard that lets no request pass. */
class ClosedGuard implements CanActivate {
  canActivate() {
    return false;
  }
}

/** The response of Express, or the reply of Fastify, which has that of Node. */
type AnyResponse = ServerResponse & { raw?: ServerResponse; hijack?(): void };

@Controller()
class AnswersController {
  @Get('ok')
  ok() {
    return { answer: 42 };
  }

  @Get('broken')
  broken() {
    throw new InternalServerErrorException('broken');
  }

  @Get('guarded')
  @UseGuards(ClosedGuard)
  guarded() {}

  @Get('file')
  file() {
    return new StreamableFile(Buffer.from('content'));
  }

  @Sse('events')
  events() {
    return of({ data: 'one' });
  }

  @Get('own-id')
  @Header('X-Trace-Id', 'mine')
  ownId() {
    return 'own';
  }

  @Get('timed')
  @Header('Server-Timing', 'db;dur=5')
  timed() {
    return 'timed';
  }

  @Get('raw')
  raw(@Res() response: AnyResponse) {
    response.hijack?.();
    const raw = response.raw ?? response;
    raw.setHeader('Server-Timing', ['db;dur=5', 'cache;dur=1']);
    raw.writeHead(201, { 'x-raw': 'yes' });
    raw.end('raw');
  }

  @Get('passed')
  passed(@Res() response: AnyResponse) {
    response.hijack?.();
    const raw = response.raw ?? response;
    raw.writeHead(200, 'Fine', PASSED);
    raw.end('passed');
  }
}

const PASSED: OutgoingHttpHeaders = { 'X-TRACE-ID': 'passed', 'SERVER-TIMING': 'db;dur=5' };

const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
const both = { response: { traceId: 'X-Trace-Id', serverTiming: true } };

function withApp(platform: Platform, tracing: HttpAppOptions['tracing'], use: (http: HttpApp) => Promise<void>) {
  return withHttpApp(platform, { controllers: [AnswersController], tracing }, use);
}

/** Requests a path, waits until its span has ended, and returns what the response tells and what it should tell. */
async function exchange(http: HttpApp, path: string, init?: RequestInit) {
  const response = await http.request(path, init);
  await http.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));
  const span = http.traces.take().find(({ kind }) => kind === SpanKind.SERVER)!;
  const { traceId, spanId } = span.spanContext();
  return {
    response,
    id: response.headers.get('x-trace-id'),
    timing: response.headers.get('server-timing'),
    traceId,
    metric: `traceparent;desc="00-${traceId}-${spanId}-01"`,
  };
}

describe.each(httpPlatforms)('a response with its trace on %s', (platform) => {
  it.each([
    ['/ok', 200],
    ['/nowhere', 404],
    ['/broken', 500],
    ['/guarded', 403],
    ['/file', 200],
    ['/events', 200],
  ])('has both headers: %s', async (path, status) => {
    await withApp(platform, both, async (http) => {
      const { id, metric, response, timing, traceId } = await exchange(http, path);
      expect(response.status).toBe(status);
      expect({ id, timing }).toEqual({ id: traceId, timing: metric });
    });
  });

  it('keeps what the application sets, and adds to its Server-Timing', async () => {
    await withApp(platform, both, async (http) => {
      const own = await exchange(http, '/own-id');
      expect(own.id).toBe('mine');

      const timed = await exchange(http, '/timed');
      expect(timed.timing).toBe(`db;dur=5, ${timed.metric}`);

      const raw = await exchange(http, '/raw');
      expect(raw.response.status).toBe(201);
      expect(raw.response.headers.get('x-raw')).toBe('yes');
      expect({ id: raw.id, timing: raw.timing }).toEqual({
        id: raw.traceId,
        timing: `db;dur=5, cache;dur=1, ${raw.metric}`,
      });

      const passed = await exchange(http, '/passed');
      expect({ id: passed.id, timing: passed.timing }).toEqual({ id: 'passed', timing: `db;dur=5, ${passed.metric}` });
      expect(PASSED).toEqual({ 'X-TRACE-ID': 'passed', 'SERVER-TIMING': 'db;dur=5' });
    });
  });

  it('has the id of a trace that is not sampled, with the flag that says so', async () => {
    await withApp(platform, both, async (http) => {
      const { headers } = await http.request('/ok', { headers: { traceparent: CALLER } });
      expect(headers.get('x-trace-id')).toBe('0af7651916cd43dd8448eb211c80319c');
      expect(headers.get('server-timing')).toMatch(
        /^traceparent;desc="00-0af7651916cd43dd8448eb211c80319c-\w{16}-00"$/,
      );
      expect(headers.get('server-timing')).not.toContain('b7ad6b7169203331');
    });
  });

  it('has one header alone, and none for an ignored request', async () => {
    const response = { traceId: 'x-request-trace' };
    await withApp(platform, { response, http: { ignore: '/file' } }, async (app) => {
      const { headers } = await app.request('/ok');
      expect(headers.get('x-request-trace')).toMatch(/^[0-9a-f]{32}$/);
      expect(headers.has('server-timing')).toBe(false);
      expect((await app.request('/file')).headers.has('x-request-trace')).toBe(false);
    });
  });

  it('has none by default, and no own method for it', async () => {
    const own: boolean[] = [];
    const prepare = (app: { use(middleware: unknown): void }) =>
      app.use((_request: unknown, response: object, next: () => void) => {
        own.push(Object.hasOwn(response, 'writeHead'));
        next();
      });
    await withHttpApp(platform, { controllers: [AnswersController], prepare }, async (http) => {
      const { headers } = await http.request('/ok');
      expect([...headers.keys()].filter((name) => /trace|timing/.test(name))).toEqual([]);
      expect(own).toEqual([false]);
    });
  });

  it('is written once, also for a response without a body', async () => {
    await withApp(platform, both, async (http) => {
      const rawHeaders = await new Promise<string[]>((resolve, reject) => {
        const sent = nodeRequest(`${http.url}/ok`, { method: 'HEAD' }, (response) => {
          response.resume().on('end', () => resolve(response.rawHeaders));
        });
        sent.on('error', reject).end();
      });
      const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
      expect(names.filter((name) => name === 'x-trace-id' || name === 'server-timing').toSorted()).toEqual([
        'server-timing',
        'x-trace-id',
      ]);
    });
  });
});
