import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Header, Injectable, Param, UseGuards, type CanActivate } from '@nestjs/common';
import { context, propagation, trace, SpanKind } from '@opentelemetry/api';
import { NoSpan, Span, TracingService, type HttpOptions, type TracingOptions } from 'nestjs-tracing';
import { httpPlatforms, startHttpApp, withHttpApp, type HttpApp } from '../support/http-app.js';
import { Warnings } from '../support/nest.js';
import { RawClient } from '../support/raw-client.js';
import { handler, server } from '../support/trace-tree.js';

@Injectable()
class WorkService {
  constructor(private readonly tracing: TracingService) {}

  /** Does traced work. Returns the headers that a request to another service would get. */
  @Span()
  work() {
    return this.tracing.span('by hand', () => {
      this.tracing.startSpan('on its own').end();
      return this.tracing.inject<Record<string, string>>({});
    });
  }
}

@Injectable()
class BusyGuard implements CanActivate {
  @Span()
  canActivate() {
    return true;
  }
}

@Controller('work')
class WorkController {
  constructor(private readonly service: WorkService) {}

  @Get('quiet')
  @NoSpan()
  quiet() {
    return this.service.work();
  }
  @Get('renamed')
  renamed() {
    trace.getActiveSpan()?.updateName('handler of my own');
    return 'x';
  }
  @Get('headers')
  @Header('x-answer', '42')
  @Header('set-cookie', 'session=secret')
  headers() {
    return 'x';
  }
  @Get(':id')
  one() {
    return this.service.work();
  }
}

@NoSpan()
@Controller('silent')
class SilentController {
  constructor(private readonly service: WorkService) {}

  @Get(':id')
  one(@Param('id') _id: string) {
    return this.service.work();
  }
}

@Controller('guarded')
class GuardedController {
  @Get()
  @UseGuards(BusyGuard)
  one() {
    return 'x';
  }
}

const controllers = [WorkController, SilentController, GuardedController];
const providers = [WorkService];
const work = {
  ...handler('WorkService.work'),
  children: [{ name: 'by hand', children: [{ name: 'on its own' }] }],
};
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';

// The same message is written once a minute, for all applications together.
let minutes = 0;
function letMinutesPass(): void {
  minutes += 2;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + minutes * 60_000);
}

describe.each(httpPlatforms)('options on %s', (platform) => {
  afterEach(() => void jest.restoreAllMocks());

  const withOptions = (
    http: HttpOptions,
    use: (app: HttpApp, logger: Warnings) => Promise<void>,
    more: TracingOptions = {},
  ) => {
    const logger = new Warnings();
    const { exporter: _exporter, ...tracing } = more;
    return withHttpApp(platform, { controllers, providers, logger, tracing: { ...tracing, http } }, (app) =>
      use(app, logger),
    );
  };

  describe('at their defaults', () => {
    let http: HttpApp;
    beforeAll(async () => {
      http = await startHttpApp(platform, { controllers, providers });
    });
    afterAll(() => http.close());

    it('trace everything beneath a request, and send the trace on', async () => {
      const { body } = await http.request('/work/1');
      const { traceId } = http.traces.named('by hand').spanContext();
      expect((JSON.parse(body) as { traceparent: string }).traceparent).toContain(traceId);
      await http.traces.expect(server('GET /work/:id', 200, { ...handler('WorkController.one'), children: [work] }));
    });

    it('record no header', async () => {
      await http.request('/work/headers', { headers: { authorization: 'Bearer secret', 'x-kind': 'a' } });
      await http.traces.until((spans) => spans.length === 2);
      const recorded = http.traces.take().flatMap((span) => Object.entries(span.attributes));
      expect(recorded.filter(([key]) => /\.header\./.test(key))).toEqual([]);
      expect(JSON.stringify(recorded)).not.toContain('secret');
    });

    it('hide what looks like a secret in the query, however it is written', async () => {
      await http.request(
        '/work/headers?page=2&access_token=s1&user[password]=s2&X-Amz-Signature=s3&acc%65ss%5Ftoken=s4&api_key=s5&empty&token_type=bearer',
      );
      await http.traces.until((spans) => spans.length === 2);
      const [, span] = http.traces.take();
      expect(span?.attributes['url.query']).toBe(
        'page=2&access_token=REDACTED&user[password]=REDACTED&X-Amz-Signature=REDACTED&acc%65ss%5Ftoken=REDACTED&api_key=REDACTED&empty&token_type=bearer',
      );
    });

    it('keep handlers and controllers marked with @NoSpan() out, with all beneath them', async () => {
      for (const path of ['/work/quiet', '/silent/1']) {
        const { status, body } = await http.request(path);
        expect({ status, body }).toEqual({ status: 200, body: '{}' });
      }
      await http.request('/work/headers');
      await http.traces.until((spans) => spans.length === 2);
      expect(http.traces.take().map((span) => span.name)).toEqual(['WorkController.headers', 'GET /work/headers']);
      // A span is discarded by not ending it: nothing else prevents its export.
      expect(http.traces.open).toEqual(['GET', 'GET']);
      http.traces.reset();
    });

    it('let a handler name its span', async () => {
      await http.request('/work/renamed');
      await http.traces.expect(
        server('GET /work/renamed', 200, { ...handler('WorkController.renamed'), name: 'handler of my own' }),
      );
    });

    it.each([
      [
        'adopt the trace of a caller',
        [`traceparent: 00-${TRACE}-${CALLER}-01`, 'tracestate: a=1', 'baggage: k=v'],
        CALLER,
      ],
      ['ignore a malformed caller', [`traceparent: 00-${TRACE}-xyz-01`], undefined],
      ['ignore a caller of all zeros', [`traceparent: 00-${'0'.repeat(32)}-${CALLER}-01`], undefined],
      ['ignore a caller that says it twice', Array<string>(2).fill(`traceparent: 00-${TRACE}-${CALLER}-01`), undefined],
      ['ignore an endless caller', [`traceparent: ${'0'.repeat(10_000)}`], undefined],
      ['survive nonsense', ['traceparent: %00', 'tracestate: ,,==', 'baggage: =;=,%%'], undefined],
    ])('%s', async (_name, headers, caller) => {
      const client = await RawClient.connect(http.port);
      client.send('GET /work/1', [...headers, 'Connection: close']);
      const answer = await client.closed();
      await http.traces.until((spans) => spans.some((span) => span.kind === SpanKind.SERVER));
      const root = http.traces.spans.find((span) => span.kind === SpanKind.SERVER)!;
      expect(root.spanContext().traceId === TRACE).toBe(caller !== undefined);
      const carrier = JSON.parse(/\{.*\}/.exec(answer)![0]) as Record<string, string>;
      expect(carrier.tracestate).toBe(caller && 'a=1');
      expect(carrier.baggage).toBe(caller && 'k=v');
      await http.traces.expect(
        server('GET /work/:id', { code: 200, caller }, { ...handler('WorkController.one'), children: [work] }),
      );
    });

    it('obey a caller that does not sample, and pass on its trace', async () => {
      const { body } = await http.request('/work/1', { headers: { traceparent: `00-${TRACE}-${CALLER}-00` } });
      expect(JSON.parse(body)).toEqual({
        traceparent: expect.stringMatching(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`)),
      });
      await http.traces.expect();
    });
  });

  it.each([
    ['a path', '/work/1'],
    ['paths', ['/elsewhere', '/work/1']],
    ['a wildcard', ['/wo*']],
    ['a pattern', [/^\/work\/\d+$/g]],
    ['a function', (request: { url?: string }) => request.url?.startsWith('/work/1') === true],
  ] as [string, HttpOptions['ignore']][])('ignore requests by %s, with all beneath them', async (_name, ignore) => {
    await withOptions({ ignore }, async (http) => {
      for (const path of ['/work/1', '/work/1?x=1']) {
        const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, baggage: 'k=v' };
        const { status, body } = await http.request(path, { headers });
        expect({ status, body }).toEqual({ status: 200, body: '{}' });
      }
      await http.request('/guarded');
      await http.traces.expect(
        server('GET /guarded', 200, handler('BusyGuard.canActivate'), handler('GuardedController.one')),
      );
    });
  });

  it('report an ignore function that throws, and trace on', async () => {
    letMinutesPass();
    const ignore = () => {
      throw new Error('ignore broke');
    };
    await withOptions({ ignore }, async (http, logger) => {
      await http.request('/guarded');
      await http.traces.expect(
        server('GET /guarded', 200, handler('BusyGuard.canActivate'), handler('GuardedController.one')),
      );
      expect(logger.messages.join()).toContain('http.ignore threw and was ignored: Error: ignore broke');
    });
  });

  it('record the headers that are asked for, but no secrets', async () => {
    const requestHeaders = ['X-Kind', 'authorization', 'cookie', 'x-auth-token', 'x-missing'];
    const responseHeaders = ['x-answer', 'set-cookie', 'content-type'];
    await withOptions({ requestHeaders, responseHeaders }, async (http) => {
      const headers = { 'x-kind': 'a', authorization: 'Bearer s', cookie: 'id=s', 'x-auth-token': 's' };
      await http.request('/work/headers', { headers });
      const attributes = {
        'http.request.header.x-kind': ['a'],
        'http.request.header.authorization': ['REDACTED'],
        'http.request.header.cookie': ['REDACTED'],
        'http.request.header.x-auth-token': ['REDACTED'],
        'http.request.header.x-missing': undefined,
        'http.response.header.x-answer': ['42'],
        'http.response.header.set-cookie': ['REDACTED'],
        'http.response.header.content-type': [expect.stringContaining('text/')],
      };
      await http.traces.expect(
        server('GET /work/headers', { code: 200, attributes }, handler('WorkController.headers')),
      );
    });
  });

  it('hide more of the query when asked to', async () => {
    await withOptions({ redactQuery: ['Email', /^internal/] }, async (http) => {
      await http.request('/nowhere?email=a&internal_id=1&token=t&page=1');
      const attributes = { 'url.query': 'email=REDACTED&internal_id=REDACTED&token=REDACTED&page=1' };
      await http.traces.expect(server('GET', { code: 404, attributes }));
    });
  });

  it('name the span, unless that fails or the application has', async () => {
    const spanName: HttpOptions['spanName'] = (request, route) => {
      if (request.url === '/work/2') throw new Error('spanName broke');
      return route?.startsWith('/work') ? `mine ${request.method} ${route}` : undefined;
    };
    const requestHook: HttpOptions['requestHook'] = (span, request) => {
      if (request.url === '/work/3') span.updateName('named by the hook');
    };
    await withOptions({ spanName, requestHook }, async (http) => {
      const children = [{ ...handler('WorkController.one'), children: [work] }];
      const attributes = { 'http.route': '/work/:id' };
      for (const [path, name] of [
        ['/work/1', 'mine GET /work/:id'],
        ['/work/2', 'GET /work/:id'],
        ['/work/3', 'named by the hook'],
      ] as const) {
        await http.request(path);
        await http.traces.expect(server(name, { code: 200, attributes }, ...children));
      }
      await http.request('/nowhere');
      await http.traces.expect(server('GET', 404));
    });
  });

  it('call hooks with the span and what is on the wire', async () => {
    const options: HttpOptions = {
      requestHook: (span, request) => span.setAttribute('seen.request', request.headers['x-kind'] as string),
      responseHook: (span, response) => {
        span.setAttribute('seen.response', response.statusCode);
        span.setAttribute('http.route', 'overridden');
      },
    };
    await withOptions(options, async (http) => {
      await http.request('/work/headers', { headers: { 'x-kind': 'a' } });
      const attributes = { 'seen.request': 'a', 'seen.response': 200, 'http.route': 'overridden' };
      await http.traces.expect(
        server('GET /work/headers', { code: 200, attributes }, handler('WorkController.headers')),
      );
    });
  });

  it('report hooks that throw or reject, and go on', async () => {
    letMinutesPass();
    const broken = (name: string) => () => {
      throw new Error(`${name} broke`);
    };
    const rejecting = (() => Promise.reject(new Error('responseHook rejected'))) as () => void;
    await withOptions({ requestHook: broken('requestHook'), responseHook: rejecting }, async (http, logger) => {
      await http.request('/work/headers');
      await http.traces.expect(server('GET /work/headers', 200, handler('WorkController.headers')));
      const messages = logger.messages.join();
      expect(messages).toContain('requestHook broke');
      expect(messages).toContain('responseHook rejected');
    });
  });

  it('let a sampler see the request, and survive one that throws', async () => {
    const seen: unknown[] = [];
    const sampler = {
      shouldSample(
        _context: unknown,
        _traceId: string,
        _name: string,
        _kind: unknown,
        attributes: Record<string, unknown>,
      ) {
        if (attributes['url.path'] === '/guarded') throw new Error('sampler broke');
        if ('url.path' in attributes) seen.push(attributes['url.path']);
        return { decision: attributes['url.path'] === '/work/1' ? 0 : 2 };
      },
      toString: () => 'by path',
    };
    await withOptions(
      {},
      async (http) => {
        await expect(http.request('/guarded')).resolves.toMatchObject({ status: 200 });
        await http.traces.until((spans) => spans.length === 1);
        http.traces.reset();
        seen.length = 0;
        await http.request('/work/1');
        await http.request('/work/headers');
        expect(seen).toEqual(['/work/1', '/work/headers']);
        await http.traces.until((spans) => spans.some((span) => span.name === 'GET /work/headers'));
      },
      { sampler: sampler as NonNullable<TracingOptions['sampler']> },
    );
  });

  it('that switch tracing off leave nothing behind', async () => {
    await withHttpApp(platform, { controllers, providers, tracing: { enabled: false } }, async (http) => {
      const { body } = await http.request('/work/1', { headers: { traceparent: `00-${TRACE}-${CALLER}-01` } });
      expect(body).toBe('{}');
      expect(http.traces.spans).toEqual([]);
      expect(propagation.fields()).toEqual([]);
      expect(trace.getSpan(context.active())).toBeUndefined();
    });
  });
});
