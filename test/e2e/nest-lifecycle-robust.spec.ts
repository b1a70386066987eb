import { describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  Controller,
  Get,
  HttpException,
  Inject,
  Injectable,
  Module,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type MiddlewareConsumer,
  type NestInterceptor,
  type NestMiddleware,
  type NestModule,
  type Type,
} from '@nestjs/common';
import { APP_FILTER, APP_GUARD, BaseExceptionFilter } from '@nestjs/core';
import { TracingService } from 'nestjs-tracing';
import { firstValueFrom, of, retry, Subject, throwError, type Observable } from 'rxjs';
import { get } from 'node:http';
import { heapGrowth } from '../support/heap.js';
import { httpPlatforms, startHttpApp, untraced, withHttpApp, type HttpAppOptions } from '../support/http-app.js';
import { failed, handler, server, type ExpectedSpan } from '../support/trace-tree.js';

type Next = (error?: unknown) => void;

function options(more: HttpAppOptions = {}): HttpAppOptions {
  return { tracing: { nest: { lifecycle: true } }, ...more };
}

/** A module that applies middleware to all routes of its controllers. */
function moduleWith(controller: Type, ...middleware: (Type | ((...args: never[]) => unknown))[]): Type {
  @Module({ controllers: [controller] })
  class MiddlewareModule implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(...(middleware as Type[])).forRoutes(controller);
    }
  }
  return MiddlewareModule;
}

function stage(name: string, kind: string, method: string, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'nestjs.stage': kind, 'code.function.name': `${name}.${method}` }, children };
}
const guard = (name: string, ...children: ExpectedSpan[]) => stage(name, 'guard', 'canActivate', ...children);
const interceptor = (name: string, ...children: ExpectedSpan[]) => stage(name, 'interceptor', 'intercept', ...children);

@Controller()
class PlainController {
  @Get('plain')
  plain(): string {
    return 'plain';
  }
}

describe.each(httpPlatforms)('middleware on %s', (platform) => {
  it('that never answers has a span until the client has gone', async () => {
    const reached = new Subject<void>();
    function hang(): void {
      reached.next();
    }
    await withHttpApp(platform, options({ imports: [moduleWith(PlainController, hang)] }), async (http) => {
      const arrived = firstValueFrom(reached);
      const request = untraced(() => get(`${http.url}/plain`));
      request.on('error', () => {});
      await arrived;
      request.destroy();
      await http.traces.until((spans) => spans.length === 2);
      expect(http.traces.open).toEqual([]);
      expect(http.traces.take().map(({ name }) => name)).toContain('hang');
    });
  });

  it('may continue in a span of its own, which then contains what follows', async () => {
    @Injectable()
    class Wrapping implements NestMiddleware {
      constructor(@Inject(TracingService) private readonly tracing: TracingService) {}
      use(_request: unknown, _response: unknown, next: Next): void {
        this.tracing.span('session', () => next());
      }
    }
    await withHttpApp(platform, options({ imports: [moduleWith(PlainController, Wrapping)] }), async (http) => {
      await http.request('/plain');
      const wrapped = stage('Wrapping', 'middleware', 'use', {
        name: 'session',
        children: [handler('PlainController.plain')],
      });
      await http.traces.expect(server('GET /plain', 200, wrapped));
    });
  });

  it('may throw at once, and what it throws is recorded once', async () => {
    class Throwing implements NestMiddleware {
      use(): void {
        throw new Error('no');
      }
    }
    await withHttpApp(platform, options({ imports: [moduleWith(PlainController, Throwing)] }), async (http) => {
      expect((await http.request('/plain')).status).toBe(500);
      await http.traces.until((spans) => spans.length === 2);
      const spans = http.traces.take();
      expect(spans.map(({ events, name }) => [name, events.length])).toEqual([
        ['Throwing', 1],
        [expect.stringMatching(/^GET/), 0],
      ]);
    });
  });

  it('may have no name, and gets a next() like its own', async () => {
    const calls: unknown[] = [];
    const anonymous = [
      (_request: unknown, _response: unknown, next: Next) => {
        calls.push(next.length, typeof next);
        next();
      },
    ][0]!;
    const bare = async (tracing: HttpAppOptions['tracing']) => {
      calls.length = 0;
      const imports = [moduleWith(PlainController, anonymous)];
      let answer: unknown;
      await withHttpApp(platform, { imports, tracing: tracing! }, async (http) => {
        answer = (await http.request('/plain')).body;
        if (tracing)
          await http.traces.expect(server('GET /plain', 200, { name: 'middleware' }, handler('PlainController.plain')));
      });
      return [answer, ...calls];
    };
    expect(await bare({ nest: { lifecycle: true } })).toEqual(await bare(false));
  });
});

describe('an instance', () => {
  it('that belongs to a decorator is traced for each application that lives', async () => {
    class Shared implements CanActivate {
      canActivate(): boolean {
        return true;
      }
    }
    const shared = new Shared();
    @Controller()
    @UseGuards(shared)
    class SharedController {
      @Get()
      all(): string {
        return 'all';
      }
    }
    const first = await startHttpApp('Express', options({ controllers: [SharedController] }));
    const second = await startHttpApp('Fastify', options({ controllers: [SharedController] }));
    await first.close();
    expect(Reflect.ownKeys(shared)).toEqual(['canActivate']);
    expect(Object.keys(shared)).toEqual([]);
    expect((await second.request('/')).body).toBe('all');
    await second.close();
    expect(Reflect.ownKeys(shared)).toEqual([]);
  });

  it('that is frozen, a proxy or a plain object works as without tracing', async () => {
    const frozen = Object.freeze({ canActivate: () => true });
    const proxy = new Proxy({ canActivate: () => true }, {});
    const plain = { canActivate: jest.fn(() => true) };
    @Controller()
    @UseGuards(frozen, proxy, plain)
    class GuardedController {
      @Get('guarded')
      guarded(): string {
        return 'guarded';
      }
    }
    await withHttpApp('Express', options({ controllers: [GuardedController] }), async (http) => {
      expect((await http.request('/guarded')).body).toBe('guarded');
      expect(plain.canActivate).toHaveBeenCalledTimes(1);
      expect(Object.keys(plain)).toEqual(['canActivate']);
      await http.traces.expect(
        server(
          'GET /guarded',
          200,
          { name: 'guard', attributes: { 'nestjs.stage': 'guard', 'code.function.name': undefined } },
          handler('GuardedController.guarded'),
        ),
      );
    });
  });

  it('of request scope is not kept', async () => {
    const seen: WeakRef<object>[] = [];
    @Injectable({ scope: Scope.REQUEST })
    class Scoped implements CanActivate {
      constructor() {
        seen.push(new WeakRef(this));
      }
      canActivate(): boolean {
        return true;
      }
    }
    const providers = [{ provide: APP_GUARD, useClass: Scoped }];
    await withHttpApp('Express', options({ controllers: [PlainController], providers }), async (http) => {
      for (let count = 0; count < 3; count++) await http.request('/plain');
      expect(seen).toHaveLength(3);
      await http.traces.expect(
        ...Array.from({ length: 3 }, () =>
          server('GET /plain', 200, guard('Scoped'), handler('PlainController.plain')),
        ),
      );
      await heapGrowth(() => {});
      expect(seen.filter((instance) => instance.deref() !== undefined).length).toBeLessThan(3);
    });
  });
});

describe('a filter', () => {
  it('that throws the exception again does not record it again', async () => {
    @Catch()
    class Rethrowing {
      catch(exception: unknown): never {
        throw exception;
      }
    }
    @Controller()
    @UseFilters(Rethrowing)
    class FailingController {
      @Get('fails')
      fails(): never {
        throw new HttpException('gone', 410);
      }
    }
    await withHttpApp('Express', options({ controllers: [FailingController] }), async (http) => {
      await http.request('/fails');
      await http.traces.until((spans) => spans.length === 3);
      const exceptions = http.traces.take().flatMap(({ events, name }) => events.map(() => name));
      expect(exceptions).toEqual(['FailingController.fails']);
    });
  });

  it('of the whole application has a span', async () => {
    @Catch()
    class LastFilter extends BaseExceptionFilter {}
    @Controller()
    class FailingController {
      @Get('fails')
      fails(): never {
        throw new Error('broke');
      }
    }
    const providers = [{ provide: APP_FILTER, useClass: LastFilter }];
    await withHttpApp('Fastify', options({ controllers: [FailingController], providers }), async (http) => {
      expect((await http.request('/fails')).status).toBe(500);
      await http.traces.expect(
        server(
          'GET /fails',
          500,
          failed(handler('FailingController.fails'), 'Error: broke'),
          stage('LastFilter', 'filter', 'catch'),
        ),
      );
    });
  });
});

describe('an interceptor', () => {
  it('may answer without the handler, or call it again', async () => {
    let attempts = 0;
    @Injectable()
    class Caching implements NestInterceptor {
      intercept(): Observable<string> {
        return of('cached');
      }
    }
    @Injectable()
    class Retrying implements NestInterceptor {
      intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
        return next.handle().pipe(retry(1));
      }
    }
    @Injectable()
    class Inner implements NestInterceptor {
      intercept(_execution: ExecutionContext, next: CallHandler): Observable<unknown> {
        return ++attempts === 1 ? throwError(() => new Error('once')) : next.handle();
      }
    }
    @Controller()
    class AnswersController {
      @Get('cached')
      @UseInterceptors(Caching)
      cached(): string {
        return 'fresh';
      }

      @Get('retried')
      @UseInterceptors(Retrying, Inner)
      retried(): string {
        return 'retried';
      }
    }
    await withHttpApp('Express', options({ controllers: [AnswersController] }), async (http) => {
      expect((await http.request('/cached')).body).toBe('cached');
      expect((await http.request('/retried')).body).toBe('retried');
      await http.traces.expect(
        server('GET /cached', 200, interceptor('Caching')),
        server(
          'GET /retried',
          200,
          interceptor(
            'Retrying',
            failed(interceptor('Inner'), 'Error: once'),
            interceptor('Inner', handler('AnswersController.retried')),
          ),
        ),
      );
    });
  });
});
