import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import {
  Body,
  Catch,
  Controller,
  ForbiddenException,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  ParseIntPipe,
  Post,
  Query,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  mixin,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestMiddleware,
  type NestModule,
  type PipeTransform,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { context, propagation } from '@opentelemetry/api';
import { NoSpan, Span, TracingService } from 'nestjs-tracing';
import { catchError, of, tap, throwError, type Observable } from 'rxjs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { httpPlatforms, startHttpApp, withHttpApp, type HttpApp, type HttpAppOptions } from '../support/http-app.js';
import { failed, handler, server, type ExpectedSpan } from '../support/trace-tree.js';

type Next = (error?: unknown) => void;
interface Reply {
  statusCode: number;
  end(body: string): void;
}

@Injectable()
class Tracer {
  constructor(@Inject(TracingService) readonly tracing: TracingService) {}
  work(name: string): void {
    this.tracing.span(name, () => {});
  }
}

@Injectable()
class FirstMiddleware implements NestMiddleware {
  constructor(@Inject(Tracer) private readonly tracer: Tracer) {}
  use(_request: unknown, _response: unknown, next: Next): void {
    this.tracer.work('read session');
    next();
  }
}

@Injectable()
class LateMiddleware implements NestMiddleware {
  constructor(@Inject(Tracer) private readonly tracer: Tracer) {}
  async use(_request: unknown, _response: unknown, next: Next): Promise<void> {
    await nextTurn();
    this.tracer.work('load user');
    const baggage = propagation.createBaggage({ user: { value: 'ada' } });
    context.with(propagation.setBaggage(context.active(), baggage), () => next());
  }
}

@Injectable()
class ExcludedMiddleware implements NestMiddleware {
  use(_request: unknown, _response: unknown, next: Next): void {
    next();
  }
}

@Catch()
class TeapotFilter implements ExceptionFilter {
  catch(_exception: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<Reply>();
    reply.statusCode = 418;
    reply.end('teapot');
  }
}

@Injectable()
class BrokenMiddleware implements NestMiddleware {
  @UseFilters(new TeapotFilter())
  async use(): Promise<void> {
    await nextTurn();
    throw new Error('no session');
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedMiddleware implements NestMiddleware {
  use(_request: unknown, _response: unknown, next: Next): void {
    next();
  }
}

function addHeader(_request: unknown, _response: unknown, next: Next): void {
  next();
}

function refuse(_request: unknown, _response: unknown, next: Next): void {
  setImmediate(() => next(new ForbiddenException('refused')));
}

function answer(_request: unknown, response: Reply): void {
  response.end('answered');
}

@Injectable()
class GlobalGuard implements CanActivate {
  constructor(@Inject(Tracer) private readonly tracer: Tracer) {}
  async canActivate(): Promise<boolean> {
    await nextTurn();
    this.tracer.work('check token');
    return true;
  }
}

@Injectable()
class RejectingGuard implements CanActivate {
  canActivate(): Observable<boolean> {
    return of(false);
  }
}

@Injectable()
class ThrowingGuard implements CanActivate {
  canActivate(): boolean {
    throw new ForbiddenException('who are you');
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

class PlainGuard implements CanActivate {
  constructor(private readonly answer: boolean) {}
  canActivate(): boolean {
    return this.answer;
  }
}

@Injectable()
class JoinedGuard implements CanActivate {
  @Span({ attributes: { own: true } })
  canActivate(): boolean {
    return true;
  }
}

/** Returns a class as `AuthGuard('jwt')` does, to which Nest gives a random name. */
function roleGuard() {
  class RoleGuard implements CanActivate {
    @Span({ attributes: { own: true } })
    canActivate(): boolean {
      return true;
    }
  }
  return mixin(RoleGuard);
}

@NoSpan()
@Injectable()
class SilentGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class GlobalInterceptor implements NestInterceptor {
  constructor(@Inject(Tracer) private readonly tracer: Tracer) {}
  async intercept(_execution: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    await nextTurn();
    this.tracer.work('before');
    return next.handle().pipe(tap(() => this.tracer.work('after')));
  }
}

@Injectable()
class MethodInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle();
  }
}

@Injectable()
class MappingInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError(() => throwError(() => new ForbiddenException('mapped'))));
  }
}

@Injectable()
class GlobalPipe implements PipeTransform {
  transform(value: unknown): unknown {
    return value;
  }
}

@Injectable()
class ThrowingPipe implements PipeTransform {
  async transform(): Promise<never> {
    await nextTurn();
    throw new ForbiddenException('bad value');
  }
}

@Catch(ForbiddenException)
class ForbiddenFilter implements ExceptionFilter {
  constructor(@Inject(Tracer) private readonly tracer: Tracer) {}
  catch(exception: ForbiddenException, host: ArgumentsHost): void {
    this.tracer.work('explain');
    const reply = host.switchToHttp().getResponse<{ status(code: number): { send(body: string): void } }>();
    reply.status(418).send(exception.message);
  }
}

@Injectable()
class Service {
  static readonly users: unknown[] = [];
  @Span()
  find(): string {
    Service.users.push(propagation.getActiveBaggage()?.getEntry('user')?.value);
    return 'found';
  }
}

@Controller()
class ShopController {
  constructor(@Inject(Service) private readonly service: Service) {}

  @Get('orders/:id')
  @UseGuards(new PlainGuard(true))
  @UseInterceptors(MethodInterceptor)
  one(@Param('id', ParseIntPipe) id: number, @Query('page') page: string): string {
    return `${this.service.find()} ${id} ${page}`;
  }

  @Post('orders')
  @UsePipes(ThrowingPipe)
  @UseFilters(ForbiddenFilter)
  create(@Body() order: unknown): unknown {
    return order;
  }

  @Get('rejected')
  @UseGuards(RejectingGuard)
  rejected(): void {}

  @Get('thrown')
  @UseGuards(ThrowingGuard)
  @UseFilters(ForbiddenFilter)
  thrown(): void {}

  @Get('mapped')
  @UseInterceptors(MappingInterceptor)
  mapped(): void {
    throw new Error('broke');
  }

  @Get('joined')
  @UseGuards(JoinedGuard, SilentGuard)
  joined(): string {
    return 'joined';
  }

  @Get('mixed')
  @UseGuards(roleGuard())
  mixed(): string {
    return 'mixed';
  }

  @Get('excluded')
  excluded(): string {
    return 'excluded';
  }

  @Get('refused')
  refused(): void {}

  @Get('answered')
  answered(): void {}
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
@UseGuards(ScopedGuard)
class ScopedController {
  @Get()
  list(): string {
    return 'scoped';
  }
}

const GLOBALS = [
  { provide: APP_GUARD, useClass: GlobalGuard },
  { provide: APP_INTERCEPTOR, useClass: GlobalInterceptor },
  { provide: APP_PIPE, useClass: GlobalPipe },
];

@Module({ providers: [Tracer, Service], controllers: [ShopController, ScopedController], exports: [Tracer] })
class ShopModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer
      .apply(FirstMiddleware, ...([[addHeader, LateMiddleware]] as unknown as (typeof LateMiddleware)[]))
      .forRoutes('orders/:id');
    consumer.apply(ExcludedMiddleware).exclude('excluded').forRoutes(ShopController);
    consumer.apply(ScopedMiddleware).forRoutes('scoped');
    consumer.apply(refuse).forRoutes('refused');
    consumer.apply(BrokenMiddleware).forRoutes('broken');
    consumer.apply(answer).forRoutes('answered');
  }
}

function options(more: HttpAppOptions = {}): HttpAppOptions {
  return { tracing: { nest: { lifecycle: true } }, imports: [ShopModule], ...more };
}

function stage(name: string, kind: string, method: string, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'nestjs.stage': kind, 'code.function.name': `${name}.${method}` }, children };
}
const middleware = (name: string, ...children: ExpectedSpan[]) => stage(name, 'middleware', 'use', ...children);
const guard = (name: string, ...children: ExpectedSpan[]) => stage(name, 'guard', 'canActivate', ...children);
const interceptor = (name: string, ...children: ExpectedSpan[]) => stage(name, 'interceptor', 'intercept', ...children);
const filter = (name: string, ...children: ExpectedSpan[]) => stage(name, 'filter', 'catch', ...children);
const pipe = (name: string, type: string, parameter?: string): ExpectedSpan => ({
  name,
  attributes: { 'nestjs.stage': 'pipe', 'nestjs.parameter.type': type, 'nestjs.parameter.name': parameter },
});
const functional = (name: string): ExpectedSpan => ({
  name,
  attributes: { 'nestjs.stage': 'middleware', 'code.function.name': name },
});
const excludable = middleware('ExcludedMiddleware');

describe.each(httpPlatforms)('the stages of an application on %s', (platform) => {
  it('have spans in the order of Nest, with the handler within the interceptor', async () => {
    await withHttpApp(platform, options({ providers: GLOBALS, imports: [ShopModule] }), async (app) => {
      Service.users.length = 0;
      const { body } = await app.request('/orders/7?page=2');
      expect(body).toBe('found 7 2');
      expect(Service.users).toEqual(['ada']);
      await app.traces.expect(
        server(
          'GET /orders/:id',
          200,
          middleware('FirstMiddleware', { name: 'read session' }),
          functional('addHeader'),
          middleware('LateMiddleware', { name: 'load user' }),
          excludable,
          guard('GlobalGuard', { name: 'check token' }),
          guard('PlainGuard'),
          interceptor(
            'GlobalInterceptor',
            { name: 'before' },
            interceptor(
              'MethodInterceptor',
              // Nest reads the last parameter first.
              pipe('GlobalPipe', 'query', 'page'),
              pipe('GlobalPipe', 'param', 'id'),
              pipe('ParseIntPipe', 'param', 'id'),
              handler('ShopController.one', handler('Service.find')),
            ),
            { name: 'after' },
          ),
        ),
      );
    });
  });

  it('are those that the option names', async () => {
    const lifecycle = { middleware: false, pipes: false, interceptors: false };
    await withHttpApp(platform, options({ tracing: { nest: { lifecycle } } }), async (app) => {
      await app.request('/orders/7');
      await app.traces.expect(
        server(
          'GET /orders/:id',
          200,
          { name: 'read session' },
          { name: 'load user' },
          guard('PlainGuard'),
          handler('ShopController.one', handler('Service.find')),
        ),
      );
    });
  });

  it('have no spans by default, and nothing is in front of the objects', async () => {
    await withHttpApp(platform, options({ tracing: {}, providers: GLOBALS }), async (app) => {
      await app.request('/thrown');
      await app.request('/orders/7');
      const failure = ['exception ForbiddenException: who are you'];
      await app.traces.expect(
        server('GET /thrown', { code: 418, events: failure }, { name: 'check token' }, { name: 'explain' }),
        server(
          'GET /orders/:id',
          200,
          ...['read session', 'load user', 'check token', 'before'].map((name) => ({ name })),
          handler('ShopController.one', handler('Service.find')),
          { name: 'after' },
        ),
      );
      expect(Reflect.ownKeys(app.app.get(ThrowingGuard, { strict: false }))).toEqual([]);
    });
  });

  it('are unchanged for the application, also by mocks, and as before when it has closed', async () => {
    const app = await startHttpApp(platform, options());
    const instance = app.app.get(ThrowingGuard, { strict: false });
    expect(Object.keys(instance)).toEqual([]);
    expect(instance.canActivate.name).toBe('canActivate');
    const own = jest.spyOn(instance, 'canActivate').mockReturnValue(false);
    expect((await app.request('/thrown')).status).toBe(418);
    expect(own).toHaveBeenCalledTimes(1);
    own.mockRestore();
    const inherited = jest.spyOn(RejectingGuard.prototype, 'canActivate').mockReturnValue(of(true));
    expect((await app.request('/rejected')).status).toBe(200);
    inherited.mockRestore();
    await app.close();
    expect(Reflect.ownKeys(instance)).toEqual([]);
    expect(Reflect.ownKeys(app.app.get(ShopModule))).toEqual([]);
  });
});

describe.each(httpPlatforms)('the stages of a request on %s', (platform) => {
  let http: HttpApp;
  beforeAll(async () => {
    http = await startHttpApp(platform, options());
  });
  afterAll(() => http.close());

  it('show a guard that rejects', async () => {
    expect((await http.request('/rejected')).status).toBe(403);
    const rejecting = guard('RejectingGuard');
    await http.traces.expect(
      server('GET /rejected', 403, excludable, {
        ...rejecting,
        attributes: { ...rejecting.attributes, 'nestjs.guard.rejected': true },
      }),
    );
  });

  it('record what a guard throws once, and the filter that handles it', async () => {
    const { body, status } = await http.request('/thrown');
    expect([status, body]).toEqual([418, 'who are you']);
    const failure = 'ForbiddenException: who are you';
    await http.traces.expect(
      server(
        'GET /thrown',
        418,
        excludable,
        failed(guard('ThrowingGuard'), failure),
        filter('ForbiddenFilter', { name: 'explain' }),
      ),
    );
  });

  it('record what a pipe throws once', async () => {
    const { status } = await http.request('/orders', { method: 'POST' });
    expect(status).toBe(418);
    const failing = { ...pipe('ThrowingPipe', 'body') };
    await http.traces.expect(
      server(
        'POST /orders',
        418,
        excludable,
        failed(failing, 'ForbiddenException: bad value'),
        filter('ForbiddenFilter', { name: 'explain' }),
      ),
    );
  });

  it('record both exceptions where an interceptor replaces one', async () => {
    expect((await http.request('/mapped')).status).toBe(403);
    const handled = failed(handler('ShopController.mapped'), 'Error: broke');
    await http.traces.expect(
      server(
        'GET /mapped',
        403,
        excludable,
        failed(interceptor('MappingInterceptor', handled), 'ForbiddenException: mapped'),
      ),
    );
  });

  it('have one span together with @Span(), and none with @NoSpan()', async () => {
    await http.request('/joined');
    const joined = guard('JoinedGuard');
    await http.traces.expect(
      server(
        'GET /joined',
        200,
        excludable,
        { ...joined, attributes: { ...joined.attributes, own: true } },
        handler('ShopController.joined'),
      ),
    );
  });

  it('are named after the source of a class to which Nest has given a random name', async () => {
    await http.request('/mixed');
    const mixed = guard('RoleGuard');
    await http.traces.expect(
      server(
        'GET /mixed',
        200,
        excludable,
        { ...mixed, attributes: { ...mixed.attributes, own: true } },
        handler('ShopController.mixed'),
      ),
    );
  });

  it('have no span for middleware that is excluded', async () => {
    await http.request('/excluded');
    await http.traces.expect(server('GET /excluded', 200, handler('ShopController.excluded')));
  });

  it('have spans for instances of request scope', async () => {
    for (let count = 0; count < 2; count++) {
      await http.request('/scoped');
      await http.traces.expect(
        server(
          'GET /scoped',
          200,
          middleware('ScopedMiddleware'),
          guard('ScopedGuard'),
          handler('ScopedController.list'),
        ),
      );
    }
  });

  it('record what middleware throws once, and keep its filters', async () => {
    expect(await http.request('/broken')).toMatchObject({ status: 418, body: 'teapot' });
    await http.traces.until((spans) => spans.length === 2);
    const [stage, request] = http.traces.take();
    expect(stage).toMatchObject({ name: 'BrokenMiddleware', status: { message: 'no session' } });
    expect([stage, request].map((span) => span?.events.length)).toEqual([1, 0]);
    expect(stage?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
  });

  it('show middleware that refuses a request, and middleware that answers it', async () => {
    expect((await http.request('/refused')).status).toBe(403);
    expect((await http.request('/answered')).body).toBe('answered');
    const spans = () => http.traces.spans.filter(({ name }) => name === 'refuse' || name === 'answer');
    await http.traces.until((all) => all.filter(({ kind }) => kind === 1).length === 2);
    const [refused, answered] = spans();
    expect(refused?.events.map(({ name }) => name)).toEqual(['exception']);
    expect(answered?.ended).toBe(true);
    const exceptions = http.traces.take().flatMap(({ events }) => events);
    expect(exceptions).toHaveLength(1);
  });
});

describe('an unsampled request', () => {
  it('has no stages, and the application gets the same', async () => {
    await withHttpApp(
      'Express',
      options({ tracing: { sampler: { ratio: 0 }, nest: { lifecycle: true } }, providers: GLOBALS }),
      async (http) => {
        expect((await http.request('/orders/7?page=1')).body).toBe('found 7 1');
        expect(http.traces.spans).toEqual([]);
      },
    );
  });
});
