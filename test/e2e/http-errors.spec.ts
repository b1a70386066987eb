import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BadRequestException,
  Body,
  Catch,
  Controller,
  ForbiddenException,
  Get,
  HttpException,
  Injectable,
  NotFoundException,
  Param,
  ParseIntPipe,
  Post,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestMiddleware,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { Span } from 'nestjs-tracing';
import { catchError, concat, map, of, switchMap, throwError, timer, type Observable } from 'rxjs';
import { httpPlatforms, startHttpApp, withHttpApp, type HttpApp } from '../support/http-app.js';
import { RawClient } from '../support/raw-client.js';
import { failed, handler, server, type ExpectedSpan } from '../support/trace-tree.js';

const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

/** The behaviours of a guard, by the name that a request asks for. */
const verdicts: Record<string, () => ReturnType<CanActivate['canActivate']>> = {
  yes: () => true,
  no: () => false,
  'async-no': async () => turn().then(() => false),
  forbids: () => {
    throw new ForbiddenException('not you');
  },
  'async-forbids': async () => {
    await turn();
    throw new ForbiddenException('not you, later');
  },
  'observable-no': () => of(false),
  'observable-forbids': () => timer(1).pipe(switchMap(() => throwError(() => new ForbiddenException('not you, rx')))),
  crashes: () => {
    throw new Error('guard broke');
  },
  hides: () => {
    throw new NotFoundException('nothing to see');
  },
};

@Injectable()
class ClassGuard implements CanActivate {
  canActivate(execution: ExecutionContext) {
    return verdictOf(execution);
  }
}

/** A guard whose method is an own property of the instance. */
class HandMadeGuard implements CanActivate {
  canActivate = (execution: ExecutionContext) => verdictOf(execution);
}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard implements CanActivate {
  canActivate(execution: ExecutionContext) {
    return verdictOf(execution);
  }
}

function verdictOf(execution: ExecutionContext) {
  const { params } = execution.switchToHttp().getRequest<{ params: { verdict: string } }>();
  return verdicts[params.verdict ?? 'yes']!();
}

class CreateUser {
  name!: string;
}

@Injectable()
class NamePipe implements PipeTransform {
  transform(value: Partial<CreateUser>) {
    if (!value?.name) throw new BadRequestException(['name should not be empty']);
    return value;
  }
}

@Injectable()
class UsersService {
  @Span()
  async find(): Promise<never> {
    await turn();
    throw new Error('no database');
  }
}

@Catch()
class CatchAllFilter implements ExceptionFilter {
  static seen: unknown[] = [];
  catch(exception: unknown, host: ArgumentsHost) {
    CatchAllFilter.seen.push(exception);
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: string): void } }>();
    response.status(exception instanceof HttpException ? exception.getStatus() : 503).send('filtered');
  }
}

@Injectable()
class TranslatingInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((error: Error) => throwError(() => new NotFoundException(error.message))));
  }
}

@Injectable()
class ThrowingInterceptor implements NestInterceptor {
  intercept(): never {
    throw new Error('interceptor broke');
  }
}

@Controller('errors')
class ErrorsController {
  constructor(private readonly users: UsersService) {}

  @Get('plain')
  plain() {
    throw new Error('handler broke');
  }
  @Get('async')
  async later() {
    await turn();
    throw new Error('handler broke later');
  }
  @Get('rx')
  rx() {
    return concat(
      of(1),
      throwError(() => new Error('stream broke')),
    );
  }
  @Get('http')
  http() {
    throw new NotFoundException('no such user');
  }
  @Get('teapot')
  teapot() {
    throw new HttpException('short and stout', 418);
  }
  @Get('unavailable')
  unavailable() {
    throw new HttpException('later', 503);
  }
  @Get('text')
  text() {
    throw 'just text';
  }
  @Get('service')
  service() {
    return this.users.find();
  }
  @Get('translated')
  @UseInterceptors(TranslatingInterceptor)
  translated() {
    return this.users.find();
  }
  @Get('interceptor')
  @UseInterceptors(ThrowingInterceptor)
  interceptor() {}
  @Get('filtered')
  @UseFilters(CatchAllFilter)
  filtered() {
    throw new Error('handler broke');
  }
  @Get('parsed/:id')
  parsed(@Param('id', ParseIntPipe) id: number) {
    return id;
  }
  @Post('users')
  @UsePipes(NamePipe)
  create(@Body() user: CreateUser) {
    return user;
  }
  @Get('middleware/:how')
  middleware() {
    return 'passed';
  }
}

@Controller('guarded')
class GuardedController {
  @Get('class/:verdict')
  @UseGuards(ClassGuard)
  byClass() {
    return 'in';
  }
  @Get('instance/:verdict')
  @UseGuards(new HandMadeGuard())
  byInstance() {
    return 'in';
  }
  @Get('scoped/:verdict')
  @UseGuards(ScopedGuard)
  byScoped() {
    return 'in';
  }
}

@Injectable()
class FailingMiddleware implements NestMiddleware {
  use(request: { originalUrl: string }, _response: unknown, next: (error?: unknown) => void) {
    if (request.originalUrl.endsWith('/throws')) throw new Error('middleware broke');
    if (request.originalUrl.endsWith('/next')) return next(new Error('middleware gave up'));
    next();
  }
}

class MiddlewareModule {
  configure(consumer: MiddlewareConsumer) {
    consumer.apply(FailingMiddleware).forRoutes('errors/middleware/*path');
  }
}

const guards = [
  ['no', 403, undefined],
  ['async-no', 403, undefined],
  ['observable-no', 403, undefined],
  ['forbids', 403, 'ForbiddenException: not you'],
  ['async-forbids', 403, 'ForbiddenException: not you, later'],
  ['observable-forbids', 403, 'ForbiddenException: not you, rx'],
  ['crashes', 500, 'Error: guard broke'],
  ['hides', 404, 'NotFoundException: nothing to see'],
] as const;

const json = (body: string) => ({ method: 'POST', body, headers: { 'content-type': 'application/json' } });

describe.each(httpPlatforms)('errors on %s', (platform) => {
  describe('of an application', () => {
    let http: HttpApp;

    beforeAll(async () => {
      http = await startHttpApp(platform, {
        imports: [MiddlewareModule],
        controllers: [ErrorsController, GuardedController],
        providers: [UsersService, NamePipe],
        prepare: (app) => {
          app.use('/early', (request: { originalUrl: string }, _response: unknown, next: (error?: unknown) => void) => {
            if (request.originalUrl.endsWith('/throws')) throw new Error('app.use broke');
            next(new Error('app.use gave up'));
          });
          app.enableCors();
        },
      });
    });
    afterAll(() => http.close());
    beforeEach(() => {
      CatchAllFilter.seen = [];
    });

    it.each([
      ['plain', 500, 'Error: handler broke'],
      ['async', 500, 'Error: handler broke later'],
      ['rx', 500, 'Error: stream broke'],
      ['http', 404, 'NotFoundException: no such user'],
      ['teapot', 418, 'HttpException: short and stout'],
      ['unavailable', 503, 'HttpException: later'],
      ['text', 500, 'string: just text'],
    ] as const)('are recorded on the handler: %s', async (path, code, exception) => {
      await http.request(`/errors/${path}`);
      const method = { async: 'later' }[path as string] ?? path;
      await http.traces.expect(
        server(`GET /errors/${path}`, code, failed(handler(`ErrorsController.${method}`), exception)),
      );
    });

    it('are recorded once, on the innermost span', async () => {
      await http.request('/errors/service');
      await http.traces.expect(
        server(
          'GET /errors/service',
          500,
          failed(
            handler('ErrorsController.service', failed(handler('UsersService.find'), 'Error: no database')),
            'Error: no database',
            'further in',
          ),
        ),
      );
    });

    it('are recorded as an interceptor translates them', async () => {
      await http.request('/errors/translated');
      await http.traces.expect(
        server(
          'GET /errors/translated',
          { code: 404, events: ['exception NotFoundException: no database'] },
          failed(
            handler('ErrorsController.translated', failed(handler('UsersService.find'), 'Error: no database')),
            'Error: no database',
            'further in',
          ),
        ),
      );
    });

    it('of interceptors are recorded on the request', async () => {
      await http.request('/errors/interceptor');
      await http.traces.expect(
        server('GET /errors/interceptor', { code: 500, events: ['exception Error: interceptor broke'] }),
      );
    });

    it('are recorded although a filter answers them, and the filter runs', async () => {
      await expect(http.request('/errors/filtered')).resolves.toMatchObject({ status: 503, body: 'filtered' });
      expect(CatchAllFilter.seen).toHaveLength(1);
      await http.traces.expect(
        server('GET /errors/filtered', 503, failed(handler('ErrorsController.filtered'), 'Error: handler broke')),
      );
    });

    it('of pipes are recorded on the request, whose handler was not reached', async () => {
      await http.request('/errors/parsed/x');
      const parsed = 'exception BadRequestException: Validation failed (numeric string is expected)';
      await http.traces.expect(server('GET /errors/parsed/:id', { code: 400, events: [parsed] }));
      await http.request('/errors/users', json('{}'));
      const created = 'exception BadRequestException: Bad Request Exception';
      await http.traces.expect(server('POST /errors/users', { code: 400, events: [created] }));
    });

    it.each(guards)(
      'of a guard that %s are recorded on the request, and the route is kept',
      async (verdict, code, exception) => {
        for (const kind of ['class', 'instance']) {
          await expect(http.request(`/guarded/${kind}/${verdict}`)).resolves.toMatchObject({ status: code });
          await http.traces.expect(
            server(`GET /guarded/${kind}/:verdict`, { code, events: exception ? [`exception ${exception}`] : [] }),
          );
        }
      },
    );

    it.each(guards)(
      'of a guard that %s and is made for each request are recorded, and the route is kept',
      async (verdict, code, exception) => {
        await http.request(`/guarded/scoped/${verdict}`);
        await http.traces.expect(
          server('GET /guarded/scoped/:verdict', { code, events: exception ? [`exception ${exception}`] : [] }),
        );
      },
    );

    // Fastify knows the route before middleware runs.
    const early = (method: string, route: string) => (platform === 'Fastify' ? `${method} ${route}` : method);

    it('of middleware are recorded on the request', async () => {
      await http.request('/errors/middleware/next');
      const name = early('GET', '/errors/middleware/:how');
      await http.traces.expect(server(name, { code: 500, events: ['exception Error: middleware gave up'] }));
      await http.request('/early/throws');
      await http.traces.expect(server('GET', { code: 500, events: ['exception Error: app.use broke'] }));
      await http.request('/early/next');
      await http.traces.expect(server('GET', { code: 500, events: ['exception Error: app.use gave up'] }));
    });

    it('that a middleware class throws are recorded on the request', async () => {
      await http.request('/errors/middleware/throws');
      const events = ['exception Error: middleware broke'];
      await http.traces.expect(server(early('GET', '/errors/middleware/:how'), { code: 500, events }));
    });

    it('of the body parser are recorded on the request', async () => {
      await http.request('/errors/users', json('{"name":'));
      const malformed = [expect.stringMatching(/^exception (SyntaxError|FastifyError): .*JSON/)];
      await http.traces.expect(server(early('POST', '/errors/users'), { code: 400, events: malformed }));
      await http.request('/errors/users', json(JSON.stringify({ name: 'x'.repeat(2_000_000) })));
      const tooLarge = [expect.stringMatching(/^exception (PayloadTooLargeError|FastifyError): .*too large/)];
      await http.traces.expect(server(early('POST', '/errors/users'), { code: 413, events: tooLarge }));
    });

    it('leave a CORS preflight alone', async () => {
      const headers = { origin: 'http://elsewhere.test', 'access-control-request-method': 'GET' };
      await http.request('/errors/plain', { method: 'OPTIONS', headers });
      await http.traces.expect(server('OPTIONS', 204));
    });

    it('of a request that is not HTTP leave nothing', async () => {
      const client = await RawClient.connect(http.port);
      client.write('nonsense\r\n\r\n');
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
      await http.request('/errors/middleware/passes');
      await http.traces.expect(server('GET /errors/middleware/:how', 200, handler('ErrorsController.middleware')));
    });
  });

  const globalGuard =
    (expected: (verdict: ExpectedSpan['events'], code: number) => ExpectedSpan) => async (http: HttpApp) => {
      await http.request('/global/forbids');
      await http.traces.expect(expected(['exception ForbiddenException: not you'], 403));
      await http.request('/global/hides');
      await http.traces.expect(expected(['exception NotFoundException: nothing to see'], 404));
    };

  @Controller('global')
  class GlobalController {
    @Get(':verdict')
    go() {
      return 'in';
    }
  }

  it.each([
    ['APP_GUARD', [{ provide: APP_GUARD, useClass: ClassGuard }], () => {}],
    ['APP_GUARD, an existing one', [ClassGuard, { provide: APP_GUARD, useExisting: ClassGuard }], () => {}],
    ['APP_GUARD, of a factory', [{ provide: APP_GUARD, useFactory: () => new HandMadeGuard() }], () => {}],
    ['useGlobalGuards()', [], (app: INestApplication) => app.useGlobalGuards(new ClassGuard())],
  ] as const)('of global guards are recorded on the request: %s', async (_name, providers, prepare) => {
    const options = { controllers: [GlobalController], providers: [...providers], prepare };
    const expected = globalGuard((events, code) => server('GET /global/:verdict', { code, ...(events && { events }) }));
    await withHttpApp(platform, options, expected);
  });

  it('are recorded although a catch-all filter of the whole application answers them', async () => {
    CatchAllFilter.seen = [];
    const options = {
      controllers: [ErrorsController, GuardedController],
      providers: [UsersService, NamePipe, { provide: APP_FILTER, useClass: CatchAllFilter }],
    };
    await withHttpApp(platform, options, async (http) => {
      await http.request('/errors/plain');
      await http.traces.expect(
        server('GET /errors/plain', 503, failed(handler('ErrorsController.plain'), 'Error: handler broke')),
      );
      await http.request('/guarded/class/crashes');
      await http.traces.expect(
        server('GET /guarded/class/:verdict', { code: 503, events: ['exception Error: guard broke'] }),
      );
      await http.request('/nowhere');
      await http.traces.expect(server('GET', 404));
      expect(CatchAllFilter.seen).toHaveLength(3);
    });
  });

  describe('of a global interceptor', () => {
    @Injectable()
    class WrappingInterceptor implements NestInterceptor {
      @Span('wrapping')
      intercept(_execution: ExecutionContext, next: CallHandler) {
        return next.handle().pipe(map((value: unknown) => value));
      }
    }

    /** Requests a route behind two global interceptors: Nest runs the first one outside of the second one. */
    const request = (first: Type<NestInterceptor>, second: NestInterceptor, ...expected: ExpectedSpan[]) =>
      withHttpApp(
        platform,
        {
          controllers: [GlobalController],
          providers: [{ provide: APP_INTERCEPTOR, useClass: first }],
          prepare: (app) => app.useGlobalInterceptors(second),
        },
        async (http) => {
          expect((await http.request('/global/yes')).status).toBe(500);
          await http.traces.expect(...expected);
        },
      );

    it('are recorded on the span of the interceptor around it', () =>
      request(
        WrappingInterceptor,
        new ThrowingInterceptor(),
        server('GET /global/:verdict', 500, failed({ name: 'wrapping' }, 'Error: interceptor broke')),
      ));

    it('are recorded on the request where no other interceptor is around it', () =>
      request(
        ThrowingInterceptor,
        new WrappingInterceptor(),
        server('GET /global/:verdict', { code: 500, events: ['exception Error: interceptor broke'] }),
      ));
  });
});
