/** The headers about the trace as they are on the wire: on responses without a body, interim ones, aborted ones, and over HTTP/2. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { connect, constants, type ClientHttp2Session, type IncomingHttpHeaders } from 'node:http2';
import { describe, expect, it } from '@jest/globals';
import { Controller, Get, Header, HttpCode, Res, type INestApplication } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SpanKind } from '@opentelemetry/api';
import { httpPlatforms, untraced, withHttpApp, type HttpApp, type Platform } from '../support/http-app.js';
import { RawClient } from '../support/raw-client.js';

/** The response of Express, or the reply of Fastify, which has that of Node. */
type AnyResponse = ServerResponse & { raw?: ServerResponse; hijack?(): void };

function rawOf(response: AnyResponse): ServerResponse {
  response.hijack?.();
  return response.raw ?? response;
}

@Controller()
class WireController {
  @Get('ok')
  @Header('ETag', '"1"')
  ok() {
    return 'ok';
  }

  @Get('unchanged')
  @HttpCode(304)
  unchanged() {}

  @Get('empty')
  @HttpCode(204)
  empty() {}

  @Get('hints')
  hints(@Res() response: AnyResponse) {
    const raw = rawOf(response);
    raw.writeEarlyHints({ link: '</style.css>; rel=preload' });
    raw.writeProcessing();
    raw.end('hinted');
  }

  /** HTTP/2 has no 102. */
  @Get('hinted')
  hinted(@Res() response: AnyResponse) {
    const raw = rawOf(response);
    raw.writeEarlyHints({ link: '</style.css>; rel=preload' });
    raw.end('hinted');
  }

  @Get('half')
  half(@Res() response: AnyResponse) {
    const raw = rawOf(response);
    raw.write('first');
    raw.once('close', () => raw.end('too late'));
  }

  @Get('never')
  never(@Res() response: AnyResponse) {
    const raw = rawOf(response);
    raw.once('close', () => {
      raw.setHeader('x-late', 'yes');
      raw.end('too late');
    });
  }

  @Get('destroyed')
  destroyed(@Res() response: AnyResponse) {
    rawOf(response).destroy();
  }
}

const tracing = { response: { traceId: 'x-trace-id', serverTiming: true } };

/** Waits for the end of a request, and returns the lines that its response has to have. */
async function expectedHeaders(http: HttpApp) {
  await http.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));
  const { spanId, traceId } = http.traces
    .take()
    .find(({ kind }) => kind === SpanKind.SERVER)!
    .spanContext();
  return { 'x-trace-id': traceId, 'server-timing': `traceparent;desc="00-${traceId}-${spanId}-01"` };
}

const byName = ([a = '']: unknown[], [b = '']: unknown[]) => String(a).localeCompare(String(b));

/** The headers about the trace in a part of what a raw client has received, each as often as it is there. */
function headersIn(text: string) {
  return text
    .split('\r\n')
    .map((line) => /^(x-trace-id|server-timing): (.*)$/i.exec(line))
    .flatMap((match) => (match ? [[match[1]!.toLowerCase(), match[2]]] : []))
    .toSorted(byName);
}

/** Each header once. */
const linesOf = (headers: object) => Object.entries(headers).toSorted(byName);

describe.each(httpPlatforms)('a response with its trace on %s over HTTP/1.1', (platform: Platform) => {
  const withApp = (use: (http: HttpApp) => Promise<void>) =>
    withHttpApp(platform, { controllers: [WireController], tracing }, use);

  async function exchange(http: HttpApp, line: string, headers: string[] = [], body = ''): Promise<string> {
    const client = await RawClient.connect(http.port);
    client.send(line, [...headers, 'Connection: close'], body);
    return client.closed();
  }

  it.each([
    ['HEAD /ok', 200],
    ['GET /unchanged', 304],
    ['GET /empty', 204],
    ['GET /nowhere', 404],
    ['HEAD /nowhere', 404],
    ['POST /ok', 404],
    ['OPTIONS /nowhere', 404],
  ])('has each header once, and no body that it must not have: %s is %i', async (line, status) => {
    await withApp(async (http) => {
      const text = await exchange(http, line);
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
      expect(headersIn(text)).toEqual(linesOf(await expectedHeaders(http)));
      if (status < 400) expect(text.split('\r\n\r\n')[1]).toBe('');
    });
  });

  it('has the headers if the framework responds by itself: to a preflight, a body that is no JSON, and a cached response', async () => {
    const prepare = (app: INestApplication) => app.enableCors();
    await withHttpApp(platform, { controllers: [WireController], tracing, prepare }, async (http) => {
      const origin = 'Origin: http://other.example';
      const preflight = await exchange(http, 'OPTIONS /ok', [origin, 'Access-Control-Request-Method: GET']);
      expect(preflight).toMatch(/^HTTP\/1.1 204 /);
      expect(headersIn(preflight)).toEqual(linesOf(await expectedHeaders(http)));

      const json = ['Content-Type: application/json', 'Content-Length: 1'];
      const malformed = await exchange(http, 'POST /ok', json, '{');
      expect(malformed).toMatch(/^HTTP\/1.1 400 /);
      expect(headersIn(malformed)).toEqual(linesOf(await expectedHeaders(http)));

      // Only Express compares tags.
      const cached = await exchange(http, 'GET /ok', ['If-None-Match: "1"']);
      expect(cached).toMatch(platform === 'Express' ? /^HTTP\/1.1 304 / : /^HTTP\/1.1 200 /);
      expect(headersIn(cached)).toEqual(linesOf(await expectedHeaders(http)));

      // Fastify responds to a URL that its router cannot parse before anything else can run.
      const unparsable = await exchange(http, 'GET /%zz');
      const expected = linesOf(await expectedHeaders(http));
      expect(unparsable).toMatch(platform === 'Express' ? /^HTTP\/1.1 404 / : /^HTTP\/1.1 400 /);
      expect(headersIn(unparsable)).toEqual(platform === 'Express' ? expected : []);
    });
  });

  it('has the final headers alone after interim responses', async () => {
    await withApp(async (http) => {
      const text = await exchange(http, 'GET /hints');
      const [hints, processing, final] = text.split('\r\n\r\n') as [string, string, string];
      expect(hints).toMatch(/^HTTP\/1.1 103 /);
      expect(processing).toMatch(/^HTTP\/1.1 102 /);
      expect(headersIn(hints + processing)).toEqual([]);
      expect(final).toMatch(/^HTTP\/1.1 200 /);
      expect(headersIn(final)).toEqual(linesOf(await expectedHeaders(http)));
    });
  });

  it('has the headers if the client leaves before its end, and harms nothing if it leaves before its beginning', async () => {
    await withApp(async (http) => {
      const client = await RawClient.connect(http.port);
      await client.send('GET /half').saw('first');
      const text = client.received;
      client.leave();
      expect(headersIn(text)).toEqual(linesOf(await expectedHeaders(http)));

      const other = await RawClient.connect(http.port);
      other.send('GET /never');
      await http.traces.untilOpen(1 + Number(http.traces.open.includes('WireController.never')));
      other.leave();
      await expectedHeaders(http);
      expect(await exchange(http, 'GET /destroyed')).toBe('');
      await expectedHeaders(http);
      expect(await exchange(http, 'GET /ok')).toMatch(/^HTTP\/1.1 200 /);
    });
  });

  it('has those of its own request on a connection that is used again, also if requests are pipelined', async () => {
    await withApp(async (http) => {
      const client = await RawClient.connect(http.port);
      client.send('GET /ok').send('HEAD /ok').send('GET /nowhere', ['Connection: close']);
      const ids = [...(await client.closed()).matchAll(/^x-trace-id: (\w+)/gim)].map(([, id]) => id);
      await http.traces.until((spans) => spans.filter(({ kind }) => kind === SpanKind.SERVER).length === 3);
      const traces = http.traces.take().filter(({ kind }) => kind === SpanKind.SERVER);
      expect(ids).toHaveLength(3);
      expect(new Set(ids)).toEqual(new Set(traces.map((span) => span.spanContext().traceId)));
      expect(new Set(ids).size).toBe(3);
    });
  });
});

describe('a response with its trace on Fastify over HTTP/2', () => {
  async function withSession(use: (http: HttpApp, session: ClientHttp2Session) => Promise<void>): Promise<void> {
    const adapter = () => new FastifyAdapter({ http2: true });
    await withHttpApp('Fastify', { controllers: [WireController], tracing, adapter }, async (http) => {
      const session = untraced(() => connect(http.url));
      try {
        await use(http, session);
      } finally {
        session.destroy();
      }
    });
  }

  async function exchange(session: ClientHttp2Session, method: string, path: string) {
    const stream = session.request({ ':method': method, ':path': path });
    const interim: IncomingHttpHeaders[] = [];
    stream.on('headers', (headers) => interim.push(headers));
    const [headers] = (await once(stream, 'response')) as [IncomingHttpHeaders];
    let body = '';
    for await (const chunk of stream.setEncoding('utf8')) body += chunk as string;
    return { headers, interim, body };
  }

  it.each([
    ['HEAD', '/ok', 200],
    ['GET', '/ok', 200],
    ['GET', '/unchanged', 304],
    ['GET', '/empty', 204],
    ['GET', '/nowhere', 404],
  ])('has both headers: %s %s is %i', async (method, path, status) => {
    await withSession(async (http, session) => {
      const { headers } = await exchange(session, method, path);
      expect(headers).toMatchObject({ ':status': status, ...(await expectedHeaders(http)) });
    });
  });

  it('has the final headers alone after early hints', async () => {
    await withSession(async (http, session) => {
      const { body, headers, interim } = await exchange(session, 'GET', '/hinted');
      expect(body).toBe('hinted');
      expect(interim.map(({ ':status': status, link }) => [status, link])).toEqual([
        [103, '</style.css>; rel=preload'],
      ]);
      expect(Object.keys(interim[0]!)).not.toContain('x-trace-id');
      expect(headers).toMatchObject({ ':status': 200, ...(await expectedHeaders(http)) });
    });
  });

  it('has the headers if the client resets the stream before its end, and harms nothing before its beginning', async () => {
    await withSession(async (http, session) => {
      const half = session.request({ ':path': '/half' });
      const [headers] = (await once(half, 'response')) as [IncomingHttpHeaders];
      half.close(constants.NGHTTP2_CANCEL);
      expect(headers).toMatchObject(await expectedHeaders(http));

      const never = session.request({ ':path': '/never' });
      await http.traces.untilOpen(1 + Number(http.traces.open.includes('WireController.never')));
      never.close(constants.NGHTTP2_CANCEL);
      await expectedHeaders(http);
      expect((await exchange(session, 'GET', '/ok')).headers[':status']).toBe(200);
    });
  });
});
