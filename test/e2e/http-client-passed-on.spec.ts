import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { HttpModule, HttpService } from '@nestjs/axios';
import { Controller, Get, Req } from '@nestjs/common';
import { context, SpanKind } from '@opentelemetry/api';
import { Span, TracingService, type TracingOptions } from 'nestjs-tracing';
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage, type RequestOptions } from 'node:http';
import { lastValueFrom } from 'rxjs';
import * as undici from 'undici';
import { clientSpans, expectBare, expectCarried, nodePropagates } from '../support/client-app.js';
import { httpOptions, startHttpApp, type HttpApp } from '../support/http-app.js';
import { HttpTarget, type TargetRequest } from '../support/http-target.js';
import { Scrape } from '../support/scrape.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const caller = { traceparent: `00-${TRACE}-${CALLER}-01` };

type Send = (incoming: IncomingMessage, url: string, app: HttpApp) => Promise<unknown>;

let send: Send;
let target: HttpTarget;
let http: HttpApp | undefined;

@Controller()
class Gateway {
  @Get('pass')
  async pass(@Req() request: IncomingMessage): Promise<string> {
    await this.call(request);
    return 'passed';
  }

  /** A traced method, so that the active span is not the span whose parent is the caller. */
  @Span()
  private async call(request: IncomingMessage): Promise<void> {
    await send(request, `${target.url}/ok`, http!);
  }
}

/** The headers that a gateway passes on: all except those that describe the connection. */
function passedOn({
  headers: { host: _host, connection: _connection, ...headers },
}: IncomingMessage): IncomingHttpHeaders {
  return headers;
}

function byNode(url: string, options: RequestOptions): Promise<unknown> {
  return new Promise((resolve, reject) => {
    httpRequest(url, options, (response) => response.resume().once('end', resolve))
      .once('error', reject)
      .end();
  });
}

const clients: [string, boolean, Send][] = [
  [
    'fetch',
    true,
    async (incoming, url) => (await fetch(url, { headers: passedOn(incoming) as Record<string, string> })).text(),
  ],
  [
    'fetch of undici',
    true,
    async (incoming, url) =>
      (await undici.fetch(url, { headers: passedOn(incoming) as Record<string, string> })).text(),
  ],
  [
    'undici, several times and in any case',
    true,
    async (incoming, url) => {
      const { traceparent = '' } = incoming.headers as Record<string, string>;
      const headers = ['TraceParent', traceparent, 'x-own', '1', 'TRACEPARENT', traceparent, 'tracestate', 'a=1'];
      return (await undici.request(url, { headers })).body.text();
    },
  ],
  [
    'HttpService',
    true,
    async (incoming, url, { app }) =>
      lastValueFrom(
        app.get(HttpService, { strict: false }).get(url, { headers: passedOn(incoming) as Record<string, string> }),
      ),
  ],
  ['node:http', nodePropagates, (incoming, url) => byNode(url, { headers: passedOn(incoming) })],
  [
    'node:http, several times and in any case',
    nodePropagates,
    (incoming, url) => {
      const { traceparent = '' } = incoming.headers;
      return byNode(url, { headers: { TraceParent: [String(traceparent), String(traceparent)] } });
    },
  ],
  [
    'node:http, set one by one',
    nodePropagates,
    (incoming, url) =>
      new Promise((resolve, reject) => {
        const request = httpRequest(url, (response) => response.resume().once('end', resolve)).once('error', reject);
        for (const [name, value] of Object.entries(passedOn(incoming))) request.setHeader(name, value!);
        request.end('body');
      }),
  ],
  [
    'node:http, set one by one before a body in pieces',
    nodePropagates,
    (incoming, url) =>
      new Promise((resolve, reject) => {
        const options = { method: 'POST' };
        const request = httpRequest(url, options, (response) => response.resume().once('end', resolve));
        request.once('error', reject);
        for (const [name, value] of Object.entries(passedOn(incoming))) request.setHeader(name, value!);
        request.once('socket', () => request.end('rest'));
        request.write('body');
      }),
  ],
  [
    'node:http, in a list',
    nodePropagates,
    (incoming, url) => {
      const headers = [
        'Host',
        new URL(url).host,
        ...incoming.rawHeaders.filter((_, at, all) => isOwn(all[at - (at % 2)])),
      ];
      return byNode(url, { headers });
    },
  ],
];

function isOwn(name = ''): boolean {
  return !/^(host|connection)$/i.test(name);
}

async function pass(options: Omit<TracingOptions, 'exporter'>, headers: Record<string, string> = caller) {
  const tracing = { ...options, http: { client: {}, ...httpOptions(options) } };
  http = await startHttpApp('Express', { tracing, controllers: [Gateway], imports: [HttpModule] });
  await http.request('/pass', { headers });
  await http.traces.until((spans) => spans.length === 4);
  const [span] = clientSpans(http.traces.spans);
  return { span: span!, received: target.only('/ok') };
}

function contextHeaders({ headers }: TargetRequest): string {
  return JSON.stringify(headers);
}

beforeEach(async () => {
  target = await HttpTarget.start();
});

afterEach(async () => {
  await http?.close();
  http = undefined;
  await target.stop();
});

describe.each(clients)("the caller's context that is passed on by %s", (_name, isReplaced, by) => {
  beforeEach(() => {
    send = by;
  });

  it('is replaced by that of the client span', async () => {
    const { received, span } = await pass({});
    expect(span.spanContext().traceId).toBe(TRACE);
    if (isReplaced) expectCarried(received, span);
    else expect(received.headers.traceparent).toContain(CALLER);
  });

  it('is replaced where the caller is not trusted', async () => {
    const { received, span } = await pass({ http: { trustIncoming: false } });
    expect(span.spanContext().traceId).not.toBe(TRACE);
    if (isReplaced) expectCarried(received, span);
    expect(contextHeaders(received).includes(TRACE)).toBe(!isReplaced);
  });

  it('does not leave for hosts that may not have it', async () => {
    const { received } = await pass({ http: { client: { propagateTo: 'elsewhere.test' } } });
    if (isReplaced) expectBare(received);
    else expect(received.headers.traceparent).toContain(CALLER);
  });

  it('is no reason not to count the request', async () => {
    await pass({ metrics: { defaultMetrics: false } });
    const scrape = await Scrape.counted(`${http!.url}/metrics`, 'http_client_request_duration_seconds', 1);
    expect(scrape.labels('http_client_request_duration_seconds_count')).toMatchObject([
      { server_port: String(target.port) },
    ]);
  });
});

describe('contexts in several formats', () => {
  const formats = {
    'x-b3-traceid': TRACE,
    'x-b3-spanid': CALLER,
    'x-b3-parentspanid': '00f067aa0ba902b7',
    'x-b3-sampled': '1',
    'uber-trace-id': `${TRACE}:${CALLER}:0:1`,
    b3: `${TRACE}-${CALLER}-1`,
  };

  it.each<[string, TracingOptions['propagators'], string[]]>([
    ['b3', ['b3'], ['b3']],
    ['b3 in several headers', ['b3multi'], ['x-b3-spanid']],
    ['Jaeger', ['jaeger'], ['uber-trace-id']],
    ['all at once', ['b3', 'tracecontext', 'jaeger', 'b3multi'], ['b3', 'traceparent', 'uber-trace-id', 'x-b3-spanid']],
  ])('are replaced: %s', async (_name, propagators, names) => {
    send = clients[0]![2];
    const { received, span } = await pass({ propagators: propagators! }, { ...caller, ...formats });
    for (const name of names) expect(received.headers[name]).toContain(span.spanContext().spanId);
    for (const name of names) expect(received.headers[name]).not.toContain(CALLER);
    if (names.includes('x-b3-spanid')) expect(received.headers['x-b3-parentspanid']).toBeUndefined();
  });

  it('are replaced although one of them was written by the application', async () => {
    send = async (incoming, url, { app }) => {
      const { b3, ...headers } = app.get(TracingService).inject({ b3: '', traceparent: '' });
      void b3;
      return (await fetch(url, { headers: { ...headers, b3: String(incoming.headers.b3) } })).text();
    };
    const { received, span } = await pass({ propagators: ['tracecontext', 'b3'] }, formats);
    expectCarried(received, span);
    expect(received.headers.b3).toContain(span.spanContext().spanId);
  });
});

describe('beside a context that is passed on', () => {
  it('the active baggage takes the place of that of the caller', async () => {
    send = clients[0]![2];
    const { received } = await pass({ baggage: { propagate: ['tenant'] } }, { ...caller, baggage: 'tenant=a,other=b' });
    expect(received.headers.baggage).toBe('tenant=a');
  });

  it('baggage stays where none is active', async () => {
    send = clients[0]![2];
    const { received } = await pass({ http: { trustIncoming: false } }, { ...caller, baggage: 'tenant=a' });
    expect(received.headers.baggage).toBe('tenant=a');
  });
});

it('a header that is malformed is replaced, too', async () => {
  send = clients[0]![2];
  const { received, span } = await pass({}, { traceparent: 'none', tracestate: 'a=1' });
  expectCarried(received, span);
  expect(received.headers.tracestate).toBeUndefined();
});

describe('the context of a message', () => {
  it.each([
    ['in which the request is sent', (work: () => unknown) => work()],
    ['with a span in it', (work: () => unknown, app: HttpApp) => app.app.get(TracingService).span('consume', work)],
    [
      'with spans in it',
      (work: () => unknown, { app }: HttpApp) => {
        const tracing = app.get(TracingService);
        return tracing.span('consume', () => tracing.span('inner', work));
      },
    ],
  ])('%s is replaced when it is passed on', async (_name, within) => {
    http = await startHttpApp('Express', { tracing: { http: { client: {} } } });
    const extracted = http.app.get(TracingService).extract(caller);
    const work = async () => (await fetch(`${target.url}/ok`, { headers: caller })).text();
    await context.with(extracted, () => within(work, http!));
    await http.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.CLIENT));
    const [span] = clientSpans(http.traces.spans);
    expect(span!.spanContext().traceId).toBe(TRACE);
    expectCarried(target.only('/ok'), span);
  });
});

it('a caller in the same process is replaced as well', async () => {
  send = clients[0]![2];
  http = await startHttpApp('Express', { tracing: { http: { client: {} } }, controllers: [Gateway] });
  await (await fetch(`${http.url}/pass`)).text();
  await http.traces.until((spans) => spans.length === 5);
  const inner = clientSpans(http.traces.spans).find(({ attributes }) => attributes['server.port'] === target.port);
  expectCarried(target.only('/ok'), inner);
});
