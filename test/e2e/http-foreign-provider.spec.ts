import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  Module,
  UseGuards,
  type CanActivate,
  type INestApplication,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  context,
  createContextKey,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Context,
} from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AlwaysOffSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import { Span, TracingModule, TracingService, type HttpOptions } from 'nestjs-tracing';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter, httpPlatforms, type Platform } from '../support/http-app.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { failed, handler, server, type ExpectedSpan } from '../support/trace-tree.js';

const SCOPE = createContextKey("an error tracker's scope");

@Injectable()
class UsersService {
  @Span()
  find() {
    return 'x';
  }
}

@Injectable()
class HidingGuard implements CanActivate {
  canActivate() {
    return false;
  }
}

@Controller('users')
class UsersController {
  constructor(
    private readonly users: UsersService,
    private readonly tracing: TracingService,
  ) {}
  @Get('broken')
  broken() {
    throw new Error('broke');
  }
  @Get('carrier')
  carrier() {
    return this.tracing.inject({});
  }
  @Get('scope')
  scope() {
    return { scope: context.active().getValue(SCOPE) };
  }
  @Get('hidden')
  @UseGuards(HidingGuard)
  hidden() {
    return 'x';
  }
  @Get('renamed')
  renamed() {
    stockSpan?.updateName('named by the application');
    return 'x';
  }
  @Get(':id')
  one() {
    return this.users.find();
  }
}

/** The latest server span of the other instrumentation. */
let stockSpan: ReturnType<ReturnType<typeof trace.getTracer>['startSpan']> | undefined;

/** Makes a span around everything that handles the request, like the stock instrumentation of `node:http`. */
function instrument(server: Server, enter: (request: IncomingMessage) => Context): void {
  const emit = server.emit.bind(server) as (event: string, ...args: unknown[]) => boolean;
  server.emit = ((event: string, ...args: unknown[]) => {
    if (event !== 'request') return emit(event, ...args);
    const [request, response] = args as [IncomingMessage, ServerResponse];
    const entered = enter(request);
    response.on('close', () => {
      const span = trace.getSpan(entered);
      span?.setAttribute('http.response.status_code', response.statusCode);
      span?.end();
    });
    return context.with(entered, () => emit(event, ...args));
  }) as Server['emit'];
}

function stockServerSpan({ method }: IncomingMessage): Context {
  stockSpan = trace.getTracer('stock').startSpan(method!, { kind: SpanKind.SERVER }, ROOT_CONTEXT);
  return trace.setSpan(context.active(), stockSpan);
}

/** The other instrumentation's span: it has no `error.type`, and its status follows its own rules. */
function stock(name: string, code: number, ...children: ExpectedSpan[]): ExpectedSpan {
  const span = server(name, code, ...children);
  return { ...span, status: 'UNSET', attributes: { ...span.attributes, 'error.type': undefined } };
}

describe.each(httpPlatforms)('beside a tracer provider that is there already, on %s', (platform: Platform) => {
  let traces: TraceRecorder;
  let provider: TracerProvider;
  let app: INestApplication | undefined;

  beforeEach(() => {
    stockSpan = undefined;
    traces = new TraceRecorder();
    provider = register(new TracerProvider({ spanProcessors: [exporting(traces)] }));
  });

  afterEach(async () => {
    await app?.close();
    app = undefined;
    trace.disable();
    context.disable();
    propagation.disable();
  });

  async function start(http: HttpOptions = {}, prepare: (app: INestApplication) => void = () => {}) {
    @Module({
      imports: [TracingModule.forRoot({ http: { client: false, ...http } })],
      controllers: [UsersController],
      providers: [UsersService],
    })
    class AppModule {}
    app = await NestFactory.create(AppModule, createAdapter(platform), { logger: false });
    prepare(app);
    await app.listen(0, '127.0.0.1');
    const { port } = app.getHttpServer().address() as AddressInfo;
    return async (path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  }

  const withStock =
    (enter = stockServerSpan) =>
    (app: INestApplication) =>
      instrument(app.getHttpServer() as Server, enter);

  it('spans go there, and it is left alone when the application closes', async () => {
    const request = await start();
    await request('/users/1');
    const tree = server('GET /users/:id', 200, handler('UsersController.one', handler('UsersService.find')));
    await traces.expect(tree);
    await app!.close();
    app = undefined;
    const proxy = trace.getTracerProvider() as unknown as { getDelegate(): TracerProvider };
    expect(proxy.getDelegate()).toBe(provider);
    trace.getTracer('other').startSpan('afterwards').end();
    await traces.expect({ name: 'afterwards' });
  });

  it('what it still holds is exported before the application has closed', async () => {
    const forceFlush = jest.spyOn(provider, 'forceFlush');
    const request = await start();
    await request('/users/1');
    await traces.until((spans) => spans.length === 3);
    expect(forceFlush).not.toHaveBeenCalled();
    await app!.close();
    app = undefined;
    expect(forceFlush).toHaveBeenCalledTimes(1);
  });

  it('a server span that is there already is enriched, not doubled', async () => {
    const request = await start({}, withStock());
    await request('/users/1');
    await traces.expect(stock('GET /users/:id', 200, handler('UsersController.one', handler('UsersService.find'))));
    await request('/users/broken');
    await traces.expect(stock('GET /users/broken', 500, failed(handler('UsersController.broken'), 'Error: broke')));
    await request('/users/hidden');
    await traces.expect(stock('GET /users/hidden', 403));
    await request('/nowhere');
    await traces.expect(stock('GET', 404));
  });

  it('hooks, headers and a name of our own go to that span, and the application still has the last word', async () => {
    const request = await start(
      {
        responseHeaders: ['content-type'],
        spanName: (_request, route) => (route === '/users/:id' ? 'mine' : undefined),
        requestHook: (span) => span.setAttribute('hook', 'request'),
        responseHook: (span, response) => span.setAttribute('hook.response', response.statusCode),
      },
      withStock(),
    );
    await request('/users/1');
    const attributes = {
      hook: 'request',
      'hook.response': 200,
      'http.response.header.content-type': [expect.stringContaining('text')],
      'http.route': '/users/:id',
    };
    await traces.expect({
      name: 'mine',
      kind: 'SERVER',
      attributes,
      children: [handler('UsersController.one', handler('UsersService.find'))],
    });
    await request('/users/renamed');
    await traces.expect({
      name: 'named by the application',
      kind: 'SERVER',
      children: [handler('UsersController.renamed')],
    });
  });

  it('the trace goes on by the propagator of that provider', async () => {
    propagation.setGlobalPropagator({
      inject: (from, carrier, setter) => setter.set(carrier, 'x-stock', trace.getSpanContext(from)?.traceId ?? 'none'),
      extract: (from) => from,
      fields: () => ['x-stock'],
    });
    const request = await start({}, withStock());
    expect(JSON.parse(await request('/users/carrier'))).toEqual({ 'x-stock': stockSpan!.spanContext().traceId });
  });

  it('a request that it does not sample is not traced by us either', async () => {
    trace.disable();
    provider = register(new TracerProvider({ sampler: new AlwaysOffSampler(), spanProcessors: [exporting(traces)] }));
    const request = await start({}, withStock());
    await expect(request('/users/1')).resolves.toBe('x');
    expect(JSON.parse(await request('/users/carrier'))).toEqual({
      traceparent: expect.stringContaining(stockSpan!.spanContext().traceId),
    });
    await traces.expect();
  });

  it('what else it keeps in the context stays there', async () => {
    const request = await start(
      {},
      withStock(() => context.active().setValue(SCOPE, 'mine')),
    );
    expect(JSON.parse(await request('/users/scope'))).toEqual({ scope: 'mine' });
    await traces.expect(server('GET /users/scope', 200, handler('UsersController.scope')));
  });

  it('a caller that it has extracted is the parent', async () => {
    const caller = {
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
      traceFlags: 1,
      isRemote: true,
    };
    const request = await start(
      {},
      withStock(() => trace.setSpanContext(context.active(), caller)),
    );
    await request('/users/hidden');
    await traces.expect(server('GET /users/hidden', { code: 403, caller: caller.spanId }));
  });

  it('a server that was started inside one of its spans does not take that one for the request', async () => {
    const starting = trace.getTracer('stock').startSpan('starting', { kind: SpanKind.SERVER });
    const request = await context.with(trace.setSpan(context.active(), starting), () => start());
    await request('/users/hidden');
    starting.end();
    await traces.expect({ name: 'starting', kind: 'SERVER' }, server('GET /users/hidden', 403));
  });
});

function exporting(traces: TraceRecorder) {
  return {
    onStart: traces.onStart.bind(traces),
    onEnd(span: Parameters<TraceRecorder['onEnd']>[0]) {
      traces.onEnd(span);
      traces.export([span], () => {});
    },
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
  };
}

function register(provider: TracerProvider): TracerProvider {
  trace.setGlobalTracerProvider(provider);
  context.disable();
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  return provider;
}
