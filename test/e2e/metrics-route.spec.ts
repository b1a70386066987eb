import {
  Catch,
  Controller,
  Get,
  Inject,
  Injectable,
  Post,
  Scope,
  SetMetadata,
  UseGuards,
  VersioningType,
  type ArgumentsHost,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type MiddlewareConsumer,
  type NestMiddleware,
  type NestModule,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, REQUEST } from '@nestjs/core';
import { afterEach, describe, expect, it } from '@jest/globals';
import { MetricsEndpoint, TracingConfigurationError, type MetricsOptions } from 'nestjs-tracing';
import { httpPlatforms, startHttpApp, type HttpApp, type HttpAppOptions } from '../support/http-app.js';

interface Incoming {
  readonly headers: Readonly<Record<string, string | undefined>>;
}

interface Outgoing {
  statusCode: number;
  end(): void;
}

const isAuthorized = ({ headers }: Incoming) => headers.authorization !== undefined;

@Controller()
class OwnController {
  @Get('own')
  own(): string {
    return 'own';
  }
}

@Injectable()
class AuthMiddleware implements NestMiddleware {
  use(request: Incoming, response: Outgoing, next: () => void): void {
    authenticate(request, response, next);
  }
}

function authenticate(request: Incoming, response: Outgoing, next: () => void): void {
  if (isAuthorized(request)) {
    next();
    return;
  }
  response.statusCode = 401;
  response.end();
}

@Injectable()
class Guard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return isAuthorized(context.switchToHttp().getRequest());
  }
}

@Injectable({ scope: Scope.REQUEST })
class RequestGuard implements CanActivate {
  constructor(@Inject(REQUEST) private readonly request: Incoming) {}

  canActivate(context: ExecutionContext): boolean {
    return this.request === context.switchToHttp().getRequest() && isAuthorized(this.request);
  }
}

@Injectable({ scope: Scope.REQUEST, durable: true })
class DurableGuard extends Guard {}

@Injectable({ scope: Scope.TRANSIENT })
class TransientGuard extends Guard {}

const guards: readonly (readonly [string, Type<CanActivate>, Scope])[] = [
  ['singleton', Guard, Scope.DEFAULT],
  ['request-scoped', RequestGuard, Scope.REQUEST],
  ['durable', DurableGuard, Scope.REQUEST],
  ['transient', TransientGuard, Scope.TRANSIENT],
];

function withMiddleware(...routes: string[]): Type<NestModule> {
  return class implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(AuthMiddleware).forRoutes(...routes);
    }
  };
}

const withFunctionalMiddleware: Type<NestModule> = class implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(authenticate).forRoutes('*');
  }
};

describe.each(httpPlatforms)('the route of the metrics on %s', (platform) => {
  let http: HttpApp | undefined;
  afterEach(async () => {
    await http?.close();
    http = undefined;
    Reflect.deleteMetadata('__guards__', MetricsEndpoint);
    Reflect.deleteMetadata('isPublic', MetricsEndpoint.prototype.serve);
  });

  async function start(metrics: MetricsOptions = {}, options: HttpAppOptions = {}): Promise<void> {
    const tracing = { metrics: { defaultMetrics: false, ...metrics } as MetricsOptions };
    http = await startHttpApp(platform, { controllers: [OwnController], tracing, ...options });
  }
  const status = async (path: string, headers: Record<string, string> = {}) =>
    (await http!.request(path, { headers })).status;
  const statuses = async (path: string) => [await status(path), await status(path, { authorization: 'x' })];

  describe('is protected as the others are', () => {
    it.each([
      ['a middleware class', withMiddleware('{*all}')],
      ['a middleware function', withFunctionalMiddleware],
      ['middleware for the very path', withMiddleware('own', 'metrics')],
    ])('by %s', async (_, module) => {
      await start({}, { imports: [module] });
      expect(await statuses('/own')).toEqual([401, 200]);
      expect(await statuses('/metrics')).toEqual([401, 200]);
    });

    it.each([
      ['without further options', (app: INestApplication) => app.setGlobalPrefix('api')],
      ['with exclusions', (app: INestApplication) => app.setGlobalPrefix('api', { exclude: ['health'] })],
    ])('by middleware under a global prefix %s, below which it is not', async (_, prepare) => {
      await start({}, { imports: [withMiddleware('{*all}')], prepare });
      expect(await statuses('/api/own')).toEqual([401, 200]);
      expect(await statuses('/metrics')).toEqual([401, 200]);
      expect(await statuses('/api/metrics')).toEqual([401, 404]);
    });

    it('by middleware that the application uses directly', async () => {
      await start({}, { prepare: (app) => app.use(authenticate) });
      expect(await statuses('/metrics')).toEqual([401, 200]);
    });

    it('by middleware once', async () => {
      let runs = 0;
      const counting = class implements NestModule {
        configure(consumer: MiddlewareConsumer): void {
          consumer
            .apply((_: unknown, __: unknown, next: () => void) => {
              runs++;
              next();
            })
            .forRoutes('{*all}');
        }
      };
      await start({}, { imports: [counting] });
      expect(await status('/metrics')).toBe(200);
      expect(runs).toBe(1);
    });

    it.each(guards)('by a global guard that is %s', async (_, useClass, scope) => {
      await start({}, { providers: [{ provide: APP_GUARD, useClass, scope }] });
      expect(await statuses('/own')).toEqual([403, 200]);
      expect(await statuses('/metrics')).toEqual([403, 200]);
    });

    it.each(guards)('by a guard of its own that is %s', async (_, guard) => {
      await start({ guards: [guard] });
      expect(await statuses('/own')).toEqual([200, 200]);
      expect(await statuses('/metrics')).toEqual([403, 200]);
    });

    it.each(guards)('by a guard of its own that is %s and a provider', async (_, guard) => {
      await start({ guards: [guard] }, { providers: [guard] });
      expect(await statuses('/metrics')).toEqual([403, 200]);
    });

    it.each<[string, Type<CanActivate> | CanActivate]>([
      ['a class', RequestGuard],
      ['an object', new Guard()],
    ])('by @UseGuards() with %s on MetricsEndpoint', async (_, guard) => {
      UseGuards(guard)(MetricsEndpoint);
      await start();
      expect(await statuses('/own')).toEqual([200, 200]);
      expect(await statuses('/metrics')).toEqual([403, 200]);
    });

    it('and refused by the filters of the application', async () => {
      @Catch()
      class Teapot implements ExceptionFilter {
        catch(_: unknown, host: ArgumentsHost): void {
          host
            .switchToHttp()
            .getResponse<{ status(code: number): { send(body: string): void } }>()
            .status(418)
            .send('');
        }
      }
      const providers = [
        { provide: APP_GUARD, useClass: Guard },
        { provide: APP_FILTER, useClass: Teapot, scope: Scope.REQUEST },
      ];
      await start({}, { providers });
      expect(await statuses('/metrics')).toEqual([418, 200]);
    });
  });

  it('is seen by guards as the class and the method that metadata is put on', async () => {
    const seen: unknown[] = [];
    const guard: CanActivate = {
      canActivate(context) {
        seen.push(context.getClass() === MetricsEndpoint, Reflect.getMetadata('isPublic', context.getHandler()));
        return true;
      },
    };
    Reflect.defineMetadata('isPublic', true, MetricsEndpoint.prototype.serve);
    await start({}, { prepare: (app) => app.useGlobalGuards(guard) });
    expect(await status('/metrics')).toBe(200);
    SetMetadata('isPublic', 'later')(
      MetricsEndpoint.prototype,
      'serve',
      Object.getOwnPropertyDescriptor(MetricsEndpoint.prototype, 'serve')!,
    );
    expect(await status('/metrics')).toBe(200);
    expect(seen).toEqual([true, true, true, 'later']);
  });

  it('comes before patterns that match it, and leaves the rest to them', async () => {
    @Controller()
    class PatternController {
      @Get(':id')
      one(): string {
        return 'one';
      }
    }
    await start({}, { controllers: [PatternController] });
    expect((await http!.request('/metrics')).body).toContain('target_info');
    expect((await http!.request('/7')).body).toBe('one');
  });

  it('stands beside other methods at its path, which are traced and counted', async () => {
    @Controller('metrics')
    class DevicesController {
      @Post()
      report(): string {
        return 'noted';
      }
    }
    await start({}, { controllers: [DevicesController] });
    expect((await http!.request('/metrics', { method: 'POST' })).body).toBe('noted');
    await http!.traces.until((spans) => spans.some(({ name }) => name === 'POST /metrics'));
    expect((await http!.request('/metrics')).body).toMatch(
      /http_server_request_duration_seconds_count\{http_request_method="POST"[^}]*http_route="\/metrics"/,
    );
    expect(http!.traces.spans.filter(({ name }) => name.startsWith('GET'))).toEqual([]);
  });

  describe('refuses to start where a route is there already', () => {
    const conflict = async (metrics: MetricsOptions, options: HttpAppOptions) => {
      const error: unknown = await start(metrics, options).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      expect(error).toBeInstanceOf(TracingConfigurationError);
      const { option, value, fix } = error as TracingConfigurationError;
      return `${option} ${String(value)}: ${fix.split('.')[0]}.${fix.split('.')[1]}`;
    };

    @Controller('metrics')
    class TakenController {
      @Get(['other', '/'])
      list(): string {
        return 'taken';
      }
    }

    @Controller({ path: 'metrics', version: '1' })
    class VersionedController {
      @Get()
      list(): string {
        return 'taken';
      }
    }

    it('by a controller', async () => {
      expect(await conflict({}, { controllers: [TakenController] })).toBe(
        'metrics.path /metrics: TakenController.list() serves GET /metrics already',
      );
    });

    it('by a controller below the prefix or a version', async () => {
      const prefixed = {
        controllers: [TakenController],
        prepare: (app: INestApplication) => app.setGlobalPrefix('api'),
      };
      expect(await conflict({ path: '/api/metrics' }, prefixed)).toContain('serves GET /api/metrics already');
      const versioned = {
        controllers: [VersionedController],
        prepare: (app: INestApplication) => app.enableVersioning({ type: VersioningType.URI }),
      };
      expect(await conflict({ path: '/v1/metrics' }, versioned)).toContain('serves GET /v1/metrics already');
    });

    it('by the framework itself', async () => {
      const prepare = (app: INestApplication) =>
        app.getHttpAdapter().get('/metrics', (_: unknown, response: { send(body: string): void }) => {
          response.send('taken');
        });
      expect(await conflict({}, { prepare })).toMatch(
        platform === 'Express' ? /A handler of Express|The handler/ : /A route of Fastify/,
      );
    });

    it('but not where it differs by prefix or version', async () => {
      await start({}, { controllers: [TakenController], prepare: (app) => app.setGlobalPrefix('api') });
      expect((await http!.request('/api/metrics')).body).toBe('taken');
      expect((await http!.request('/metrics')).body).toContain('target_info');
      await http!.close();
      const prepare = (app: INestApplication) =>
        app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
      await start({}, { controllers: [TakenController], prepare });
      expect((await http!.request('/v1/metrics')).body).toBe('taken');
      expect((await http!.request('/metrics')).body).toContain('target_info');
    });
  });
});
