import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Injectable,
  RequestMethod,
  UseGuards,
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

// What tracing uses of Nest without a promise of Nest's behind it. When one of these fails, a release of Nest has moved
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
    let config!: ApplicationConfig;
    class LookingModule {
      static inject = [HttpAdapterHost, ApplicationConfig, ModulesContainer];
      constructor(
        private readonly host: { httpAdapter: AbstractHttpAdapter },
        private readonly config: ApplicationConfig,
        private readonly modules: ModulesContainer,
      ) {}
      configure() {
        config = this.config;
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
      // The list itself, not a copy: ours goes in front of it.
      const interceptor = new PlainInterceptor();
      config.getGlobalInterceptors().unshift(interceptor);
      expect(config.getGlobalInterceptors()[0]).toBe(interceptor);
    });
  });

  it('keeps the guards of a handler under `__guards__`', () => {
    expect(Reflect.getMetadata('__guards__', HooksController.prototype.one)).toEqual([OpenGuard, byHand]);
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

  it('gets one listener, no interceptor and one watch per guard from us, however often it starts', async () => {
    for (let start = 0; start < 2; start++) {
      const options = { controllers: [HooksController], providers: [{ provide: APP_GUARD, useValue: byHand }] };
      await withHttpApp(platform, options, async (http) => {
        await http.request('/hooks/1');
        await http.traces.expect(server('GET /hooks/:id', 200, handler('HooksController.one')));
        expect((http.app.getHttpServer() as Server).listenerCount('request')).toBe(2);
        const interceptors = http.app.get(ApplicationConfig).getGlobalInterceptors();
        expect(interceptors).toEqual([]);
      });
    }
    expect(Object.keys(byHand)).toEqual([]);
  });
});
