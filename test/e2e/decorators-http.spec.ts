import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  ForbiddenException,
  Get,
  Header,
  HttpCode,
  Inject,
  Injectable,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Scope,
  SetMetadata,
  Sse,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type NestInterceptor,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { trace, type Span as OtelSpan } from '@opentelemetry/api';
import { Baggage, CurrentSpan, NoSpan, Span, SpanAttribute, Traceable, TracingService } from 'nestjs-tracing';
import { map, of, type Observable } from 'rxjs';
import { httpPlatforms, startHttpApp, type HttpApp } from '../support/http-app.js';
import { failed, handler, server } from '../support/trace-tree.js';

@Injectable()
class RolesGuard implements CanActivate {
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}
  canActivate(execution: ExecutionContext): boolean {
    const roles = this.reflector.get<string[] | undefined>('roles', execution.getHandler());
    const role = execution.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-role'] ?? '';
    if (roles && !roles.includes(role)) throw new ForbiddenException('roles');
    return true;
  }
}

@Injectable()
class Wrap implements NestInterceptor {
  intercept(_: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value) => ({ wrapped: value as unknown })));
  }
}

@Injectable()
class OrdersService {
  constructor(@Inject(TracingService) private readonly tracing: TracingService) {}

  @Span()
  async place(@SpanAttribute('order.id') id: number): Promise<{ id: number }> {
    await new Promise((resolve) => setImmediate(resolve));
    this.tracing.span('charge card', () => this.tracing.addEvent('charged'));
    return { id };
  }

  @Span()
  async missing(id: number): Promise<never> {
    await new Promise((resolve) => setImmediate(resolve));
    throw new NotFoundException(`no order ${id}`);
  }

  @Span()
  list(): Observable<number[]> {
    return of([1, 2]);
  }
}

@Traceable()
@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  private calls = 0;
  count(): number {
    return ++this.calls;
  }
}

@Controller('plain')
class PlainController {
  constructor(
    @Inject(OrdersService) private readonly orders: OrdersService,
    @Inject(PerRequest) private readonly perRequest: PerRequest,
  ) {}

  @Post(':id')
  place(@Param('id', ParseIntPipe) id: number): Promise<{ id: number }> {
    return this.orders.place(id);
  }

  @Get('missing/:id')
  missing(@Param('id', ParseIntPipe) id: number): Promise<never> {
    return this.orders.missing(id);
  }

  @Get('list')
  list(): Observable<number[]> {
    return this.orders.list();
  }

  @Get('count')
  count(): number {
    this.perRequest.count();
    return this.perRequest.count();
  }

  @Get('span')
  span(@CurrentSpan() span?: OtelSpan): string {
    span?.setAttribute('from.handler', true);
    return String(span === trace.getActiveSpan());
  }

  @Get('baggage')
  baggage(@Baggage('tenant') tenant?: string, @Baggage() all?: object, @Baggage('none') none?: string): object {
    return { tenant, all, none: none ?? 'undefined' };
  }

  @Get('silent')
  @NoSpan()
  async silent(): Promise<string> {
    await this.orders.place(1);
    return 'silent';
  }

  @Sse('events')
  @Span('events')
  events(): Observable<{ data: string }> {
    return of({ data: 'one' }, { data: 'two' });
  }
}

/** The same route twice, with `@Span()` above everything else and below it. */
@Controller('decorated')
@UseGuards(RolesGuard)
class DecoratedController {
  @Span('own span')
  @Post('above/:id')
  @HttpCode(202)
  @Header('x-made-by', 'orders')
  @SetMetadata('roles', ['admin'])
  @UseInterceptors(Wrap)
  above(
    @Param('id', ParseIntPipe) @SpanAttribute('order.id') id: number,
    @Query('note') note: string,
    @Body() body: object,
    @CurrentSpan() span: OtelSpan,
  ): object {
    span.setAttribute('from.inside', true);
    return { id, note, body };
  }

  @Post('below/:id')
  @HttpCode(202)
  @Header('x-made-by', 'orders')
  @SetMetadata('roles', ['admin'])
  @UseInterceptors(Wrap)
  @Span('own span')
  below(
    @SpanAttribute('order.id') @Param('id', ParseIntPipe) id: number,
    @Query('note') note: string,
    @Body() body: object,
    @CurrentSpan() span: OtelSpan,
  ): object {
    span.setAttribute('from.inside', true);
    return { id, note, body };
  }
}

/** Handlers whose decorator asks for the span that they have without it. */
@Traceable()
@Controller('joined')
class JoinedController {
  @Get('value/:id')
  @Span((id: number) => ({ 'order.id': id }))
  value(@Param('id', ParseIntPipe) id: number, @CurrentSpan() span: OtelSpan): object {
    span.setAttribute('from.inside', true);
    return { same: span === trace.getActiveSpan(), again: id > 0 ? this.value(0, span) : null };
  }

  @Get('error')
  @Span({ record: false })
  async error(): Promise<never> {
    await new Promise((resolve) => setImmediate(resolve));
    throw new NotFoundException('a secret');
  }

  @Get('stream')
  @Span({ onResult: (last: number) => ({ last }) })
  stream(): Observable<number> {
    return of(1, 2);
  }

  @Get('plain')
  plain(): string {
    return 'plain';
  }

  @Get('linked')
  @Span({ root: true })
  linked(): string {
    return 'linked';
  }
}

describe.each(httpPlatforms)('decorators on %s', (platform) => {
  let http: HttpApp;

  beforeAll(async () => {
    http = await startHttpApp(platform, {
      controllers: [PlainController, DecoratedController, JoinedController],
      providers: [OrdersService, PerRequest, RolesGuard],
    });
  });

  afterAll(() => http.close());

  it('make one trace of controller, service and manual span', async () => {
    expect(await http.request('/plain/7', { method: 'POST' })).toMatchObject({ status: 201, body: '{"id":7}' });
    await http.traces.expect(
      server(
        'POST /plain/:id',
        201,
        handler('PlainController.place', {
          name: 'OrdersService.place',
          attributes: { 'order.id': 7, 'code.function.name': 'OrdersService.place' },
          children: [{ name: 'charge card', events: ['charged'] }],
        }),
      ),
    );
  });

  it('add to the span that a handler has anyway', async () => {
    const body = '{"same":true,"again":{"same":true,"again":null}}';
    expect(await http.request('/joined/value/7')).toMatchObject({ status: 200, body });
    await http.traces.expect(
      server('GET /joined/value/:id', 200, {
        ...handler('JoinedController.value', {
          ...handler('JoinedController.value'),
          attributes: { 'order.id': 0, 'from.inside': true },
        }),
        attributes: { 'order.id': 7, 'from.inside': true },
      }),
    );
    expect(await http.request('/joined/plain')).toMatchObject({ body: 'plain' });
    await http.traces.expect(server('GET /joined/plain', 200, handler('JoinedController.plain')));
    expect(await http.request('/joined/stream')).toMatchObject({ body: '2' });
    await http.traces.expect(
      server('GET /joined/stream', 200, { ...handler('JoinedController.stream'), attributes: { last: 2 } }),
    );
  });

  it('hide what must not be seen on that span as well', async () => {
    expect(await http.request('/joined/error')).toMatchObject({ status: 404 });
    const unseen = { status: 'ERROR', events: ['exception NotFoundException: undefined'] };
    await http.traces.expect(
      server('GET /joined/error', 404, {
        ...handler('JoinedController.error'),
        ...unseen,
        attributes: { 'error.type': 'NotFoundException' },
      }),
    );
  });

  it('give a handler one more span where it is to be another one', async () => {
    await http.request('/joined/linked');
    await http.traces.until((spans) => spans.length === 3);
    const spans = http.traces.take();
    expect(spans.map(({ name }) => name).toSorted()).toEqual([
      'GET /joined/linked',
      'JoinedController.linked',
      'JoinedController.linked',
    ]);
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(2);
  });

  it('leave an exception to its filter, and record it once, innermost', async () => {
    const { status, body } = await http.request('/plain/missing/7');
    expect([status, JSON.parse(body)]).toEqual([404, { message: 'no order 7', error: 'Not Found', statusCode: 404 }]);
    const exception = 'NotFoundException: no order 7';
    await http.traces.expect(
      server(
        'GET /plain/missing/:id',
        404,
        failed(
          handler('PlainController.missing', failed(handler('OrdersService.missing'), exception)),
          exception,
          'further in',
        ),
      ),
    );
  });

  it('follow an Observable that the handler returns', async () => {
    expect((await http.request('/plain/list')).body).toBe('[1,2]');
    await http.traces.expect(
      server('GET /plain/list', 200, handler('PlainController.list', handler('OrdersService.list'))),
    );
  });

  it('work on providers that are made anew for each request', async () => {
    for (let request = 0; request < 2; request++) {
      expect((await http.request('/plain/count')).body).toBe('2');
      await http.traces.expect(
        server(
          'GET /plain/count',
          200,
          handler('PlainController.count', handler('PerRequest.count'), handler('PerRequest.count')),
        ),
      );
    }
  });

  it('hand a handler its own span: @CurrentSpan()', async () => {
    expect((await http.request('/plain/span')).body).toBe('true');
    await http.traces.expect(
      server('GET /plain/span', 200, {
        name: 'PlainController.span',
        attributes: { 'from.handler': true },
      }),
    );
  });

  it('hand a handler what travels with the request: @Baggage()', async () => {
    const baggage = 'tenant=acme, user%20id=7;secret=meta, empty=, umlaut=%C3%BC';
    expect(JSON.parse((await http.request('/plain/baggage', { headers: { baggage } })).body)).toEqual({
      tenant: 'acme',
      all: expect.objectContaining({ tenant: 'acme', umlaut: 'ü' }) as object,
      none: 'undefined',
    });
    for (const headers of [{}, { baggage: ';;;=,' }, { baggage: '%' }] as Record<string, string>[]) {
      expect(JSON.parse((await http.request('/plain/baggage', { headers })).body)).toEqual({
        all: {},
        none: 'undefined',
      });
    }
    await http.traces.until((spans) => spans.length === 8);
    http.traces.take();
  });

  it('keep a silent handler out of everything: @NoSpan()', async () => {
    expect((await http.request('/plain/silent')).body).toBe('silent');
    await http.request('/plain/span');
    await http.traces.until((spans) => spans.length >= 2);
    expect(http.traces.spans.map(({ name }) => name)).toEqual(['PlainController.span', 'GET /plain/span']);
    // The span of the excluded request was discarded, so it stays open for ever.
    http.traces.reset();
  });

  it('leave server-sent events as they are, in a span that lasts as long as they do', async () => {
    const { status, body, headers } = await http.request('/plain/events');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/event-stream');
    expect(body.match(/data: (.*)/g)).toEqual(['data: one', 'data: two']);
    await http.traces.until((spans) => spans.some(({ name }) => name === 'events'), 'the span of the events');
    await http.traces.until((spans) => spans.length === 3);
    http.traces.take();
  });

  describe.each(['above', 'below'])('@Span() %s the decorators of Nest', (order) => {
    const path = `/decorated/${order}/7?note=quick`;
    const request = { method: 'POST', body: '{"a":1}' };
    const admin = { 'content-type': 'application/json', 'x-role': 'admin' };
    const route = `POST /decorated/${order}/:id`;

    it('keeps route, code, header, interceptor, pipes and parameters', async () => {
      const { status, body, headers } = await http.request(path, { ...request, headers: admin });
      expect(status).toBe(202);
      expect(headers.get('x-made-by')).toBe('orders');
      expect(JSON.parse(body)).toEqual({ wrapped: { id: 7, note: 'quick', body: { a: 1 } } });
      await http.traces.expect(
        server(
          route,
          202,
          handler(`DecoratedController.${order}`, {
            name: 'own span',
            attributes: { 'order.id': 7, 'from.inside': true, 'code.function.name': `DecoratedController.${order}` },
          }),
        ),
      );
    });

    it('keeps the guard and what it reads', async () => {
      const { status } = await http.request(path, { ...request, headers: { ...admin, 'x-role': 'guest' } });
      expect(status).toBe(403);
      await http.traces.expect(server(route, { code: 403, events: ['exception ForbiddenException: roles'] }));
    });

    it('keeps the pipe that refuses', async () => {
      const { status } = await http.request(`/decorated/${order}/seven`, { ...request, headers: admin });
      expect(status).toBe(400);
      await http.traces.until((spans) => spans.length === 1);
      expect(http.traces.take().map(({ name }) => name)).toEqual([route]);
    });
  });
});

describe.each(httpPlatforms)('decorators on %s where tracing is off', (platform) => {
  it.each([
    ['disabled', { enabled: false } as const],
    ['without TracingModule', false as const],
  ])('%s change nothing', async (_, tracing) => {
    const http = await startHttpApp(platform, {
      tracing,
      controllers: [DecoratedController, OffController],
      providers: [RolesGuard, { provide: OrdersService, useValue: new OrdersService(new TracingService(never())) }],
    });
    try {
      const headers = { 'content-type': 'application/json', 'x-role': 'admin' };
      const answer = await http.request('/decorated/above/7?note=n', { method: 'POST', headers, body: '{}' });
      expect([answer.status, JSON.parse(answer.body)]).toEqual([202, { wrapped: { id: 7, note: 'n', body: {} } }]);
      expect((await http.request('/off')).body).toBe('{"span":"undefined","all":{},"order":{"id":1}}');
      expect((await http.request('/off/missing')).status).toBe(404);
      expect(http.traces.take()).toEqual([]);
    } finally {
      await http.close();
    }
  });
});

@Controller('off')
class OffController {
  constructor(@Inject(OrdersService) private readonly orders: OrdersService) {}
  @Get()
  async everything(@CurrentSpan() span: unknown, @Baggage() all: object): Promise<object> {
    return { span: typeof span, all, order: await this.orders.place(1) };
  }
  @Get('missing')
  missing(): Promise<never> {
    return this.orders.missing(1);
  }
}

/** A stand-in for a runtime that must not be used. */
function never(): ConstructorParameters<typeof TracingService>[0] {
  return {} as never;
}
