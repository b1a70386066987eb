import { describe, expect, it } from '@jest/globals';
import {
  Catch,
  Controller,
  ForbiddenException,
  Get,
  Injectable,
  Param,
  ParseIntPipe,
  RequestMethod,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
} from '@nestjs/common';
import {
  APP_GUARD,
  APP_INTERCEPTOR,
  ApplicationConfig,
  HttpAdapterHost,
  ModulesContainer,
  type AbstractHttpAdapter,
} from '@nestjs/core';
import { IncomingMessage, ServerResponse, type Server } from 'node:http';
import { httpPlatforms, withHttpApp, type HttpAppOptions, type Platform } from '../support/http-app.js';
import { handler, server } from '../support/trace-tree.js';

// These tests cover the undocumented parts of Nest that tracing uses. When one of them fails, a release of Nest has moved
// something: users lose a part of their traces, silently, until lib/http follows.

@Injectable()
class OpenGuard implements CanActivate {
  canActivate() {
    return true;
  }
}

@Injectable()
class PlainInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler) {
    return next.handle();
  }
}

const byHand = new OpenGuard();

@Controller('hooks')
class HooksController {
  @Get(':id')
  @UseGuards(OpenGuard, byHand)
  one() {
    return 'x';
  }

  @Get('other/:id')
  @UseInterceptors(PlainInterceptor)
  @UsePipes(ParseIntPipe)
  other(@Param('id', ParseIntPipe) _id: number) {}
}

interface Hooks {
  onRequestHook?: unknown;
  setOnRequestHook(hook: (request: unknown, response: unknown, done: () => void) => void): void;
  setOnRouteTriggered(hook: (method: number, path: string) => void): void;
  getOnRouteTriggered(): unknown;
  mapException(error: unknown): unknown;
}

describe.each(httpPlatforms)('Nest on %s', (platform: Platform) => {
  const untraced = (options: HttpAppOptions, use: Parameters<typeof withHttpApp>[2]) =>
    withHttpApp(platform, { controllers: [HooksController], ...options, tracing: false }, use);
  const hooksOf = (app: INestApplication) => app.getHttpAdapter() as unknown as Hooks;

  it('calls one request hook, kept in `onRequestHook`, with what the framework made of request and response', async () => {
    const seen: unknown[][] = [];
    const hook = (request: unknown, response: unknown, done: () => void) => {
      seen.push([request, response]);
      done();
    };
    const prepare = (app: INestApplication) => {
      const hooks = hooksOf(app);
      expect(hooks.onRequestHook).toBeUndefined();
      hooks.setOnRequestHook(hook);
      expect(hooks.onRequestHook).toBe(hook);
    };
    await untraced({ prepare }, async (http) => {
      await http.request('/hooks/1');
      const [request, response] = seen[0] as [{ raw?: unknown }, { raw?: unknown }];
      expect(seen).toHaveLength(1);
      expect(request.raw ?? request).toBeInstanceOf(IncomingMessage);
      expect(response.raw ?? response).toBeInstanceOf(ServerResponse);
      expect(request).toMatchObject({ ip: '127.0.0.1', protocol: 'http', hostname: '127.0.0.1' });
    });
  });

  it('reports each route that it is about to try', async () => {
    const seen: unknown[] = [];
    const hook = (method: number, path: string) => void seen.push([RequestMethod[method], path]);
    const prepare = (app: INestApplication) => {
      app.setGlobalPrefix('api');
      hooksOf(app).setOnRouteTriggered(hook);
      expect(hooksOf(app).getOnRouteTriggered()).toBe(hook);
    };
    await untraced({ prepare }, async (http) => {
      await http.request('/api/hooks/1');
      expect(seen).toEqual([['GET', '/api/hooks/:id']]);
    });
  });

  it('asks the adapter to map what middleware throws', async () => {
    const seen: unknown[] = [];
    const prepare = (app: INestApplication) => {
      const hooks = hooksOf(app);
      const { mapException } = hooks;
      hooks.mapException = function (error) {
        seen.push(error);
        return mapException.call(this, error);
      };
      app.use('/hooks', (_request: unknown, _response: unknown, next: (error: unknown) => void) => next('broke'));
    };
    await untraced({ prepare }, async (http) => {
      await http.request('/hooks/1');
      expect(seen).toEqual(['broke']);
    });
  });

  it('has its server, its global guards and interceptors, and no routes when `configure()` runs', async () => {
    const seen: Record<string, unknown> = {};
    class LookingModule {
      static inject = [HttpAdapterHost, ApplicationConfig, ModulesContainer];
      constructor(
        private readonly host: { httpAdapter: AbstractHttpAdapter },
        private readonly config: ApplicationConfig,
        private readonly modules: ModulesContainer,
      ) {}
      configure() {
        const httpServer = this.host.httpAdapter.getHttpServer() as Server;
        seen.listeners = httpServer.listenerCount('request');
        seen.guards = this.config.getGlobalGuards().map((guard) => guard.constructor.name);
        seen.interceptors = this.config.getGlobalInterceptors().map((interceptor) => interceptor.constructor.name);
        const modules = [...this.modules.values()];
        seen.injectables = modules
          .flatMap((module) => [...module.injectables.values()])
          .filter((wrapper) => wrapper.isDependencyTreeStatic() && wrapper.instance instanceof OpenGuard).length;
        const [controller] = modules.flatMap((module) => Array.from(module.controllers.values()));
        seen.controller = controller?.metatype;
        const triggered = () => {};
        (this.host.httpAdapter as unknown as Hooks).setOnRouteTriggered(triggered);
      }
    }
    Reflect.defineMetadata('design:paramtypes', LookingModule.inject, LookingModule);
    const options: HttpAppOptions = {
      imports: [LookingModule],
      providers: [
        { provide: APP_GUARD, useClass: OpenGuard },
        { provide: APP_INTERCEPTOR, useClass: PlainInterceptor },
      ],
      prepare(app) {
        app.useGlobalGuards(new OpenGuard());
        app.useGlobalInterceptors(new PlainInterceptor());
      },
    };
    await untraced(options, async () => {
      expect(seen).toEqual({
        listeners: 1,
        guards: ['OpenGuard', 'OpenGuard'],
        interceptors: ['PlainInterceptor', 'PlainInterceptor'],
        injectables: 1,
        controller: HooksController,
      });
    });
  });

  it('keeps what stands around a handler under these keys', () => {
    const { one, other } = HooksController.prototype;
    expect(Reflect.getMetadata('__guards__', one)).toEqual([OpenGuard, byHand]);
    expect(Reflect.getMetadata('__interceptors__', other)).toEqual([PlainInterceptor]);
    expect(Reflect.getMetadata('__pipes__', other)).toEqual([ParseIntPipe]);
    const parameters = Object.values(Reflect.getMetadata('__routeArguments__', HooksController, 'other') as object);
    expect(parameters).toEqual([expect.objectContaining({ pipes: [ParseIntPipe] })]);
    expect([one, other].map((method) => Reflect.getMetadata('path', method) as unknown)).toEqual([':id', 'other/:id']);
    expect(Reflect.getMetadata('method', one)).toBe(RequestMethod.GET);
  });

  it('calls a handler by its `apply`, with the controller and the arguments', async () => {
    const seen: unknown[] = [];
    @Controller('applied')
    class AppliedController {
      @Get(':id')
      one(@Param('id') id: string): string {
        return id;
      }
    }
    Object.defineProperty(AppliedController.prototype.one, 'apply', {
      configurable: true,
      value(this: (...args: unknown[]) => unknown, controller: object, args: unknown[]) {
        seen.push(this, controller.constructor, args);
        return Reflect.apply(this, controller, args);
      },
    });
    await untraced({ controllers: [AppliedController] }, async (http) => {
      expect((await http.request('/applied/7')).body).toBe('7');
      expect(seen).toEqual([AppliedController.prototype.one, AppliedController, ['7']]);
    });
  });

  it('asks global filters by `instanceof`, the last one first, and binds the methods of filters at the start', async () => {
    const asked: string[] = [];
    const filter = (name: string) => {
      function Type(): void {}
      Object.defineProperty(Type, Symbol.hasInstance, { value: () => Boolean(asked.push(name) && false) });
      @Catch(Type as never)
      class Filter {
        catch(): void {}
      }
      return new Filter();
    };
    @Catch(ForbiddenException)
    class Answering {
      catch = (_exception: unknown, host: ArgumentsHost) =>
        host.switchToHttp().getResponse<{ send(body: string): void }>().send('by the filter');
    }
    const answering = new Answering();
    @Controller('filtered')
    class FilteredController {
      @Get('own')
      @UseFilters(answering)
      own(): never {
        throw new ForbiddenException();
      }
      @Get()
      one(): never {
        throw new ForbiddenException();
      }
    }
    const prepare = (app: INestApplication) => void app.useGlobalFilters(filter('first'), filter('last'));
    await untraced({ controllers: [FilteredController], prepare }, async (http) => {
      await http.request('/filtered');
      expect(asked).toEqual(['last', 'first']);
      Object.assign(answering, { catch: () => {} });
      expect((await http.request('/filtered/own')).body).toBe('by the filter');
    });
  });

  it('asks the instance of a controller for its handlers', async () => {
    @Controller('own')
    class OwnController {
      constructor() {
        const own = () => 'the one of the instance';
        for (const key of Reflect.getMetadataKeys(this.method) as string[]) {
          Reflect.defineMetadata(key, Reflect.getMetadata(key, this.method), own);
        }
        Object.defineProperty(this, 'method', { value: own });
      }

      @Get()
      method(): string {
        return 'the one of the class';
      }
    }
    await untraced({ controllers: [OwnController] }, async (http) => {
      expect((await http.request('/own')).body).toBe('the one of the instance');
    });
  });

  it('is asked for interceptors where a controller takes no method of its own', async () => {
    @Controller('frozen')
    class FrozenController {
      constructor() {
        Object.freeze(this);
      }

      @Get()
      method(): string {
        return 'x';
      }
    }
    await withHttpApp(platform, { controllers: [FrozenController] }, async (http) => {
      expect((await http.request('/frozen')).body).toBe('x');
      await http.traces.expect(server('GET /frozen', 200, handler('FrozenController.method')));
    });
  });

  it('gives a handler what it would have without us: its metadata, its name and its instance', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class LookingGuard implements CanActivate {
      canActivate(execution: ExecutionContext) {
        const handled = execution.getHandler();
        seen.push(handled.name, handled.length, Reflect.getMetadata('role', handled), execution.getClass().name);
        return true;
      }
    }
    @Controller('looked-at')
    class LookedAtController {
      private readonly greeting = 'hello';

      @Get(':id')
      @SetMetadata('role', 'admin')
      @UseGuards(LookingGuard)
      method(@Param('id') id: string): string {
        return `${this.greeting} ${id}`;
      }
    }
    await withHttpApp(platform, { controllers: [LookedAtController] }, async (http) => {
      expect((await http.request('/looked-at/1')).body).toBe('hello 1');
      expect(seen).toEqual(['method', 1, 'admin', 'LookedAtController']);
      const controller = http.app.get(LookedAtController);
      expect(Object.keys(controller)).toEqual(['greeting']);
    });
  });

  it('may give its hooks to others as well: they are called inside the span', async () => {
    const seen: string[] = [];
    const prepare = (app: INestApplication) => {
      hooksOf(app).setOnRequestHook((_request, _response, done) => {
        seen.push('request');
        done();
      });
      hooksOf(app).setOnRouteTriggered((_method, path) => void seen.push(path));
    };
    await withHttpApp(platform, { controllers: [HooksController], prepare }, async (http) => {
      await http.request('/hooks/1');
      expect(seen).toEqual(['request', '/hooks/:id']);
      await http.traces.expect(server('GET /hooks/:id', 200, handler('HooksController.one')));
    });
  });

  it('gets no interceptor and no method of a guard from us, and a listener only on Fastify, however often it starts', async () => {
    for (let start = 0; start < 2; start++) {
      const options = { controllers: [HooksController], providers: [{ provide: APP_GUARD, useValue: byHand }] };
      await withHttpApp(platform, options, async (http) => {
        await http.request('/hooks/1');
        await http.traces.expect(server('GET /hooks/:id', 200, handler('HooksController.one')));
        expect((http.app.getHttpServer() as Server).listenerCount('request')).toBe(platform === 'Express' ? 1 : 2);
        const interceptors = http.app.get(ApplicationConfig).getGlobalInterceptors();
        expect(interceptors).toEqual([]);
      });
    }
    expect(Reflect.ownKeys(byHand)).toEqual([]);
  });
});
