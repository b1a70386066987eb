import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Body,
  Catch,
  Controller,
  createParamDecorator,
  Get,
  Injectable,
  Module,
  Param,
  Post,
  Req,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestMiddleware,
  type PipeTransform,
} from '@nestjs/common';
import { APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import { context, SpanKind, trace } from '@opentelemetry/api';
import { Span, TracingModule } from 'nestjs-tracing';
import { EventEmitter, once } from 'node:events';
import type { Server } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AddressInfo } from 'node:net';
import { defer, from, map, mergeMap, of, tap, timer, type Observable } from 'rxjs';
import { createAdapter, httpPlatforms, startHttpApp, type HttpApp } from '../support/http-app.js';
import { RawClient } from '../support/raw-client.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { failed, handler, server } from '../support/trace-tree.js';

/** The name of the active span at each place of a request. */
let seen: [place: string, span: string | undefined][] = [];

function look(place: string): void {
  seen.push([place, (trace.getActiveSpan() as { name?: string } | undefined)?.name]);
}

@Injectable()
class LookingGuard implements CanActivate {
  async canActivate() {
    look('guard');
    await sleep(1);
    look('guard, later');
    return true;
  }
}

@Injectable()
class LookingInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    look('interceptor');
    return next.handle().pipe(
      tap({ next: () => look('interceptor, result'), error: () => look('interceptor, error') }),
      map((value: unknown) => value),
    );
  }
}

@Injectable()
class GlobalInterceptor extends LookingInterceptor {
  override intercept(execution: ExecutionContext, next: CallHandler) {
    look('global interceptor');
    return super.intercept(execution, next);
  }
}

class LookingPipe implements PipeTransform {
  async transform(value: unknown) {
    look('pipe');
    await sleep(1);
    return value;
  }
}

const Looking = createParamDecorator(() => look('parameter'));

@Catch()
class LookingFilter implements ExceptionFilter {
  catch(_exception: unknown, host: ArgumentsHost) {
    look('filter');
    host
      .switchToHttp()
      .getResponse<{ status(code: number): { send(body: string): void } }>()
      .status(418)
      .send('caught');
  }
}

@Injectable()
class LookingMiddleware implements NestMiddleware {
  use(_request: unknown, _response: unknown, next: () => void) {
    look('class middleware');
    setTimeout(() => {
      look('class middleware, later');
      next();
    }, 1);
  }
}

class MiddlewareModule {
  configure(consumer: MiddlewareConsumer) {
    consumer
      .apply(LookingMiddleware, (_request: unknown, _response: unknown, next: () => void) => {
        look('function middleware');
        next();
      })
      .forRoutes('context/*path');
  }
}

@Controller('context')
@UseGuards(LookingGuard)
class ContextController {
  @Get('all/:id')
  @UseInterceptors(LookingInterceptor)
  async all(@Param('id', LookingPipe) _id: string, @Looking() _looked: unknown) {
    look('handler');
    await sleep(1);
    look('await');
    await new Promise<void>((resolve) => setImmediate(() => (look('setImmediate'), resolve())));
    await new Promise<void>((resolve) => process.nextTick(() => (look('nextTick'), resolve())));
    await new Promise<void>((resolve) => queueMicrotask(() => (look('queueMicrotask'), resolve())));
    await once(
      Readable.from(['a']).on('data', () => look('stream')),
      'end',
    );
    const emitter = new EventEmitter().on('event', () => look('event'));
    emitter.emit('event');
    return 'x';
  }

  @Get('rx')
  rx() {
    return timer(1).pipe(
      tap(() => look('timer')),
      mergeMap(() => defer(() => from(sleep(1)))),
      tap(() => look('from a promise')),
      mergeMap(() => of('x')),
    );
  }

  @Get('fails')
  @UseFilters(LookingFilter)
  @UseInterceptors(LookingInterceptor)
  fails() {
    look('handler');
    throw new Error('broke');
  }

  @Post('body')
  body(@Body() body: object) {
    look('handler');
    return body;
  }
}

@Injectable()
class DeepService {
  @Span()
  async go(id: string): Promise<string> {
    await sleep(Math.random() * 20);
    await this.deeper(id);
    return trace.getActiveSpan()!.spanContext().traceId;
  }
  @Span((id: string) => ({ 'request.id': id }))
  async deeper(_id: string) {
    await sleep(Math.random() * 20);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

@Controller('busy')
class BusyController {
  constructor(private readonly deep: DeepService) {}
  @Get(':id')
  one(@Param('id') id: string) {
    return this.deep.go(id);
  }
}

@Controller({ path: 'scoped-busy', scope: Scope.REQUEST })
class ScopedBusyController extends BusyController {
  @Get('own/:id')
  async own(@Req() _request: unknown, @Param('id') id: string) {
    await sleep(Math.random() * 5);
    return this.one(id);
  }
}

describe.each(httpPlatforms)('the active span on %s', (platform) => {
  let http: HttpApp;

  beforeAll(async () => {
    http = await startHttpApp(platform, {
      imports: [MiddlewareModule],
      controllers: [ContextController, BusyController, ScopedBusyController],
      providers: [DeepService, { provide: APP_INTERCEPTOR, useClass: GlobalInterceptor }],
      prepare: (app) => {
        app.use((_request: unknown, _response: unknown, next: () => void) => {
          look('app.use');
          setImmediate(() => {
            look('app.use, later');
            next();
          });
        });
      },
    });
  });
  afterAll(() => http.close());

  async function lookAround(path: string, init?: RequestInit): Promise<Record<string, string | undefined>> {
    seen = [];
    await http.request(path, init);
    return Object.fromEntries(seen);
  }

  // The server span has its final name only when the request is over.
  const before = {
    'app.use': 'GET',
    'app.use, later': 'GET',
    'class middleware': 'GET',
    'class middleware, later': 'GET',
    'function middleware': 'GET',
    guard: 'GET',
    'guard, later': 'GET',
    'global interceptor': 'GET',
  };

  it("is the handler's in the handler, and the request's in all that stands around it", async () => {
    const name = 'ContextController.all';
    await expect(lookAround('/context/all/1')).resolves.toEqual({
      ...before,
      interceptor: 'GET',
      pipe: 'GET',
      parameter: 'GET',
      handler: name,
      await: name,
      setImmediate: name,
      nextTick: name,
      queueMicrotask: name,
      stream: name,
      event: name,
      'interceptor, result': 'GET',
    });
    await http.traces.expect(server('GET /context/all/:id', 200, handler(name)));
  });

  it("is the handler's in the Observables that it returns", async () => {
    const name = 'ContextController.rx';
    await expect(lookAround('/context/rx')).resolves.toMatchObject({ timer: name, 'from a promise': name });
    await http.traces.expect(server('GET /context/rx', 200, handler(name)));
  });

  it("is the request's in filters", async () => {
    const name = 'ContextController.fails';
    await expect(lookAround('/context/fails')).resolves.toEqual({
      ...before,
      interceptor: 'GET',
      handler: name,
      'interceptor, error': 'GET',
      filter: 'GET',
    });
    await http.traces.expect(server('GET /context/fails', 418, failed(handler(name), 'Error: broke')));
  });

  it('is not lost while a body comes in pieces', async () => {
    seen = [];
    const client = await RawClient.connect(http.port);
    client.send('POST /context/body', ['Content-Type: application/json', 'Content-Length: 13', 'Connection: close']);
    for (const piece of ['{"a":', '"bcd"', '  }']) {
      await sleep(5);
      client.write(piece);
    }
    await expect(client.closed()).resolves.toContain('{"a":"bcd"}');
    expect(Object.fromEntries(seen)).toMatchObject({ guard: 'POST', handler: 'ContextController.body' });
    await http.traces.expect(server('POST /context/body', 201, handler('ContextController.body')));
  });

  it('is never that of another request', async () => {
    const ids = Array.from({ length: 200 }, (_, index) => String(index));
    const traceIds = await Promise.all(
      ids.map(async (id) => {
        const path = Number(id) % 2 ? `/busy/${id}` : `/scoped-busy/own/${id}`;
        const { body } = await http.request(path);
        return body;
      }),
    );
    expect(new Set(traceIds).size).toBe(200);
    await http.traces.until((spans) => spans.length === 800);
    expect(http.traces.open).toEqual([]);
    const spans = http.traces.take();
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    for (const [index, id] of ids.entries()) {
      const deepest = spans.find((span) => span.attributes['request.id'] === id)!;
      const path = [deepest];
      for (let up = byId.get(deepest.parentSpanContext!.spanId); up;) {
        path.push(up);
        up = up.parentSpanContext && byId.get(up.parentSpanContext.spanId);
      }
      expect(new Set(path.map((span) => span.spanContext().traceId))).toEqual(new Set([traceIds[index]]));
      expect(path.map((span) => span.name)).toEqual([
        'DeepService.deeper',
        'DeepService.go',
        Number(id) % 2 ? 'BusyController.one' : 'ScopedBusyController.own',
        Number(id) % 2 ? 'GET /busy/:id' : 'GET /scoped-busy/own/:id',
      ]);
      expect(path.at(-1)!.attributes['url.path']).toMatch(new RegExp(`/${id}$`));
    }
  });

  it('is none when the next request comes over the same connection', async () => {
    const active: unknown[] = [];
    const lookOutside = () => active.push(trace.getActiveSpan());
    const nodeServer = http.app.getHttpServer() as Server;
    nodeServer.prependListener('request', lookOutside);
    const client = await RawClient.connect(http.port);
    for (const _ of [1, 2]) {
      client.send('GET /busy/1');
      const go = { ...handler('DeepService.go'), children: [{ name: 'DeepService.deeper' }] };
      await http.traces.expect(server('GET /busy/:id', 200, handler('BusyController.one', go)));
    }
    client.leave();
    nodeServer.off('request', lookOutside);
    expect(active).toEqual([undefined, undefined]);
  });
});

describe.each(httpPlatforms)('a server on %s that was started inside a span', (platform) => {
  it.each(['INTERNAL', 'SERVER'] as const)('does not hang its requests below it: %s', async (kind) => {
    const traces = new TraceRecorder();
    @Module({
      imports: [TracingModule.forRoot({ serviceName: 'test', http: { client: false }, exporter: traces })],
      controllers: [BusyController],
      providers: [DeepService],
    })
    class AppModule {}
    const app = await NestFactory.create(AppModule, createAdapter(platform), { logger: false });
    const span = trace.getTracer('test').startSpan('starting', { kind: SpanKind[kind] });
    await context.with(trace.setSpan(context.active(), span), () => app.listen(0, '127.0.0.1'));
    const { port } = app.getHttpServer().address() as AddressInfo;
    const request = async () => {
      await (await fetch(`http://127.0.0.1:${port}/busy/1`)).text();
      await traces.until((spans) => spans.some((it) => it.name === 'GET /busy/:id'));
      const root = traces.named('GET /busy/:id');
      expect(root.parentSpanContext).toBeUndefined();
      expect(root.spanContext().traceId).not.toBe(span.spanContext().traceId);
      traces.take();
    };
    await request();
    span.end();
    await request();
    await app.close();
  });
});
