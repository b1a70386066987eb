import { createServer, request as httpRequest, ServerResponse, type IncomingMessage } from 'node:http';
import { connect, createServer as createHttp2Server, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo, Server } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { TraceFlags } from '@opentelemetry/api';
import { traceResponse } from '../../../../lib/http/server/trace-response.js';
import { recordWarnings } from '../../../support/recorded-warnings.js';

const warnings = recordWarnings();

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanContext = { traceId, spanId: 'b7ad6b7169203331', traceFlags: TraceFlags.SAMPLED };
const metric = `traceparent;desc="00-${traceId}-b7ad6b7169203331-01"`;
const told = { traceId: 'x-trace-id', serverTiming: true };

type Respond = (response: ServerResponse) => void;

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Returns the headers of a response that was given its trace before the application handles it. */
async function headersOf(respond: Respond): Promise<Record<string, unknown>> {
  const server = createServer((_request, response) => {
    traceResponse(response, spanContext, told);
    respond(response);
  });
  const port = await listen(server);
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      httpRequest({ port, agent: false }, resolve).on('error', reject).end();
    });
    response.resume();
    return response.headers;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function headersOverHttp2(respond: (response: Http2ServerResponse) => void): Promise<Record<string, unknown>> {
  const server = createHttp2Server((_request, response) => {
    traceResponse(response, spanContext, told);
    respond(response);
  });
  const session = connect(`http://127.0.0.1:${await listen(server)}`);
  try {
    return await new Promise((resolve, reject) => {
      const stream = session.request();
      stream.on('response', resolve).on('error', reject).resume().end();
    });
  } finally {
    session.destroy();
    server.close();
  }
}

describe('traceResponse()', () => {
  it.each<[string, Respond]>([
    ['end()', (response) => response.end('body')],
    ['write()', (response) => (response.write('a'), response.end('b'))],
    ['flushHeaders()', (response) => (response.flushHeaders(), response.end())],
    ['writeHead()', (response) => response.writeHead(200).end()],
    ['writeHead() with a message', (response) => response.writeHead(200, 'Fine').end()],
    ['writeHead() with headers', (response) => response.writeHead(200, { 'x-a': 'a' }).end()],
    ['writeHead() with a list', (response) => response.writeHead(200, ['x-a', 'a']).end()],
    ['writeHead() beside setHeader()', (r) => r.setHeader('x-b', 'b').writeHead(200, ['x-a', 'a']).end()],
  ])('adds both headers to a response of %s', async (_what, respond) => {
    expect(await headersOf(respond)).toMatchObject({ 'x-trace-id': traceId, 'server-timing': metric });
  });

  it.each<[string, Respond]>([
    ['setHeader()', (response) => response.setHeader('Server-Timing', 'db').end()],
    ['writeHead() with headers', (response) => response.writeHead(200, { 'Server-Timing': 'db' }).end()],
    ['writeHead() with a list', (response) => response.writeHead(200, ['Server-Timing', 'db']).end()],
    ['a list beside setHeader()', (r) => r.setHeader('x-a', 'a').writeHead(200, ['Server-Timing', 'db']).end()],
    ['both', (r) => r.setHeader('Server-Timing', 'old').writeHead(200, { 'server-timing': 'db' }).end()],
  ])('adds to a Server-Timing of %s', async (_what, respond) => {
    expect(await headersOf(respond)).toMatchObject({ 'server-timing': `db, ${metric}` });
  });

  it('adds no second traceparent', async () => {
    const own = 'db;dur=1, traceparent;desc="00-1-2-01"';
    expect(await headersOf((r) => r.setHeader('Server-Timing', own).end())).toMatchObject({ 'server-timing': own });
  });

  it('works with another override of writeHead(), made before or after', async () => {
    const calls: unknown[][] = [];
    const headers = await headersOf((response) => {
      const { writeHead } = response;
      response.writeHead = ((...args: Parameters<typeof writeHead>) => {
        calls.push(args);
        response.setHeader('Server-Timing', 'late');
        return writeHead.apply(response, args);
      }) as typeof writeHead;
      response.end();
    });
    expect(headers).toMatchObject({ 'server-timing': `late, ${metric}` });
    expect(calls).toEqual([[200]]);
  });

  it('leaves the error of a second writeHead() as it is, and the properties of the response', async () => {
    let code: unknown;
    let keys: string[] = [];
    await headersOf((response) => {
      keys = Object.keys(response).filter((key) => key === 'writeHead');
      response.writeHead(200).end();
      try {
        response.writeHead(200);
      } catch (error) {
        code = [(error as NodeJS.ErrnoException).code, String(error).includes('write headers')];
      }
    });
    expect(code).toEqual(['ERR_HTTP_HEADERS_SENT', true]);
    expect(keys).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('works over HTTP/2', async () => {
    expect(await headersOverHttp2((response) => response.end('body'))).toMatchObject({
      'x-trace-id': traceId,
      'server-timing': metric,
    });
    const passed = await headersOverHttp2((response) => {
      response.writeHead(200, { 'server-timing': 'db', 'x-trace-id': 'mine' });
      response.end();
    });
    expect(passed).toMatchObject({ 'server-timing': `db, ${metric}`, 'x-trace-id': 'mine' });
  });

  it('does nothing without a trace', () => {
    const response = new ServerResponse({ method: 'GET' } as IncomingMessage);
    traceResponse(response, { ...spanContext, traceId: '0'.repeat(32) }, told);
    expect(Object.hasOwn(response, 'writeHead')).toBe(false);
  });
});
