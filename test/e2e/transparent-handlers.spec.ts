import { describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  Controller,
  createParamDecorator,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  SetMetadata,
  UseFilters,
  UseGuards,
  UseInterceptors,
  UsePipes,
  Query,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type INestApplication,
  type NestInterceptor,
  type OnModuleInit,
  type PipeTransform,
} from '@nestjs/common';
import { APP_GUARD, Reflector } from '@nestjs/core';
import { Test, type TestingModuleBuilder } from '@nestjs/testing';
import { TracingModule, type TracingOptions } from 'nestjs-tracing';
import { of } from 'rxjs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdapter, untraced, type Platform } from '../support/http-app.js';
import { TraceRecorder } from '../support/trace-recorder.js';

// Each test compares an application with tracing to the same application without tracing.

@Injectable()
class OpenGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class TagInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler) {
    return next.handle();
  }
}

@Injectable()
class TrimPipe implements PipeTransform {
  transform(value: unknown): unknown {
    return value;
  }
}

@Catch()
class QuietFilter implements ExceptionFilter {
  catch(_exception: unknown, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: string): void } }>();
    response.status(418).send('quiet');
  }
}

@Injectable()
class RolesGuard implements CanActivate {
  static readonly seen: unknown[] = [];
  constructor(@Inject(Reflector) private readonly reflector: Reflector) {}
  canActivate(execution: ExecutionContext): boolean {
    RolesGuard.seen.push(execution.getHandler());
    const targets = [execution.getHandler(), execution.getClass()];
    const roles = this.reflector.getAllAndOverride<string[] | undefined>('roles', targets);
    const request = execution.switchToHttp().getRequest<{ headers: Record<string, string> }>();
    return !roles || roles.includes(request.headers['x-role'] ?? '');
  }
}

const Handler = createParamDecorator((_data, execution: ExecutionContext) => execution.getHandler());

class BaseController {
  @Get('inherited')
  inherited(@Handler() handler: unknown): string {
    RolesGuard.seen.push(handler);
    return 'inherited';
  }
}

@Controller('cats')
@UseGuards(OpenGuard)
@UseInterceptors(TagInterceptor)
class CatsController extends BaseController {
  @Get()
  list(@Handler() handler: unknown): string {
    RolesGuard.seen.push(handler);
    return 'cats';
  }

  @Get('fails')
  @UseFilters(QuietFilter)
  fails(): never {
    throw new Error('broke');
  }

  @Get('piped')
  @UsePipes(TrimPipe)
  piped(@Query('q') q: string): string {
    return q;
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  @Get()
  list(): string {
    return 'scoped';
  }
}

/** Sets the allowed roles at the start of the application, as if it had read them from a database. */
@Injectable()
class Policies implements OnModuleInit {
  onModuleInit(): void {
    SetMetadata('roles', ['admin'])(CatsController.prototype.list);
    SetMetadata('roles', ['admin'])(ScopedController.prototype.list);
  }
}

interface Running {
  readonly app: INestApplication;
  get(path: string, headers?: Record<string, string>): Promise<string>;
}

/** The options of the application. False for one without tracing. */
type Tracing = Omit<TracingOptions, 'exporter'> | false;

async function withApp<T>(
  platform: Platform,
  tracing: Tracing,
  use: (running: Running) => Promise<T>,
  prepare: (builder: TestingModuleBuilder) => TestingModuleBuilder = (builder) => builder,
): Promise<T> {
  RolesGuard.seen.length = 0;
  const traces = new TraceRecorder();
  @Module({
    imports: tracing ? [TracingModule.forRoot({ ...tracing, exporter: traces, http: { client: false } })] : [],
    controllers: [CatsController, ScopedController],
    providers: [Policies, RolesGuard, { provide: APP_GUARD, useExisting: RolesGuard }],
  })
  class AppModule {}
  const module = await prepare(Test.createTestingModule({ imports: [AppModule] })).compile();
  const app = module.createNestApplication(createAdapter(platform), { logger: false });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address() as AddressInfo;
  const get: Running['get'] = async (path, headers) => {
    const response = await untraced(() => fetch(`http://127.0.0.1:${port}${path}`, { headers: headers ?? {} }));
    return `${response.status} ${await response.text()}`;
  };
  try {
    const result = await use({ app, get });
    traces.reset();
    await get('/cats/inherited');
    // Without these spans, the test would compare two applications without tracing.
    if (tracing) await traces.until((spans) => spans.some(({ name }) => name === 'CatsController.inherited'));
    if (tracing && tracing.nest) await traces.until((spans) => spans.some(({ name }) => name === 'RolesGuard'));
    return result;
  } finally {
    await app.close();
    for (const { prototype } of [CatsController, ScopedController]) Reflect.deleteMetadata('roles', prototype.list);
  }
}

const lifecycle = { nest: { lifecycle: true } };

describe.each<[Platform, Exclude<Tracing, false>]>([
  ['Express', {}],
  ['Fastify', {}],
  ['Express', lifecycle],
  ['Fastify', lifecycle],
])('with tracing on %s, with the options %j', (platform, tracing) => {
  /** Expects `use` to return the same with tracing and without. */
  async function expectSame(
    use: (running: Running) => Promise<unknown>,
    prepare?: (builder: TestingModuleBuilder) => TestingModuleBuilder,
  ): Promise<unknown> {
    const bare = await withApp(platform, false, use, prepare);
    expect(await withApp(platform, tracing, use, prepare)).toEqual(bare);
    return bare;
  }

  it('a guard reads what has been put on a handler while the application started, and later', async () => {
    const answers = await expectSame(async ({ get }) => {
      const seen = [await get('/cats'), await get('/cats', { 'x-role': 'admin' }), await get('/scoped')];
      SetMetadata('roles', ['owner'])(CatsController.prototype.list);
      seen.push(await get('/cats', { 'x-role': 'admin' }), await get('/cats', { 'x-role': 'owner' }));
      return seen.map((answer) => answer.slice(0, 3));
    });
    expect(answers).toEqual(['403', '200', '403', '403', '200']);
  });

  it('guards and parameters see the very function that the class has', async () => {
    await withApp(platform, tracing, async ({ get }) => {
      await get('/cats', { 'x-role': 'admin' });
      await get('/cats/inherited');
      await get('/scoped', { 'x-role': 'admin' });
      const { list } = CatsController.prototype;
      const { inherited } = BaseController.prototype;
      expect(RolesGuard.seen).toEqual([list, list, inherited, inherited, ScopedController.prototype.list]);
      expect(RolesGuard.seen[0]).toBe(list);
    });
  });

  it('controllers and handlers have the properties and the metadata that they had', async () => {
    const { list } = CatsController.prototype;
    const described = (app: INestApplication) => ({
      controller: Reflect.ownKeys(app.get(CatsController)),
      class: Reflect.ownKeys(CatsController.prototype),
      handler: [list.name, list.length, Object.keys(list)],
      metadata: [
        Reflect.getMetadataKeys(list),
        Reflect.getMetadataKeys(CatsController),
        Reflect.getMetadataKeys(CatsController.prototype, 'list'),
      ],
      // While they are traced, guards and filters have a method in front of their own.
      guard: tracing.nest ? Object.keys(app.get(RolesGuard)) : Reflect.ownKeys(app.get(RolesGuard)),
      filters: tracing.nest
        ? Object.keys(app.get(QuietFilter))
        : [Reflect.ownKeys(app.get(QuietFilter)), app.get(QuietFilter).catch === QuietFilter.prototype.catch],
      adapter: typeof Object.getOwnPropertyDescriptor(app.getHttpAdapter(), 'setNotFoundHandler'),
      listeners: (app.getHttpServer() as Server).listeners('request')[0]?.name,
    });
    await expectSame(async ({ app }) => described(app));
  });

  it.each([
    ['a guard', () => jest.spyOn(OpenGuard.prototype, 'canActivate').mockReturnValue(false), '/cats/inherited'],
    [
      'an interceptor',
      () => jest.spyOn(TagInterceptor.prototype, 'intercept').mockImplementation(() => of('stubbed')),
      '/cats/inherited',
    ],
    ['a pipe', () => jest.spyOn(TrimPipe.prototype, 'transform').mockReturnValue('stubbed'), '/cats/piped?q=x'],
    ['a filter', () => jest.spyOn(QuietFilter.prototype, 'catch').mockImplementation(() => {}), '/cats/fails'],
    ['a controller', () => jest.spyOn(CatsController.prototype, 'piped').mockReturnValue('stubbed'), '/cats/piped?q=x'],
  ] as const)('a stub on the prototype of %s works after the start as without tracing', async (_name, stub, path) => {
    await expectSame(async ({ get }) => {
      const before = await get(path);
      const spy = stub();
      const during = await get(path);
      const { length } = spy.mock.calls;
      spy.mockRestore();
      return [before, during, length, await get(path)];
    });
  });

  it('what replaces a guard, an interceptor, a pipe or a filter in a test stays the mock it was', async () => {
    const mocks = {
      guard: { canActivate: jest.fn(() => true) },
      interceptor: { intercept: jest.fn((_execution: ExecutionContext, next: CallHandler) => next.handle()) },
      pipe: { transform: jest.fn(() => 'by the mock') },
      filter: {
        catch: jest.fn((_exception: unknown, host: ArgumentsHost) => {
          host.switchToHttp().getResponse<{ send(body: string): void }>().send('by the mock');
        }),
      },
    };
    const prepare = (builder: TestingModuleBuilder) =>
      builder
        .overrideGuard(OpenGuard)
        .useValue(mocks.guard)
        .overrideInterceptor(TagInterceptor)
        .useValue(mocks.interceptor)
        .overridePipe(TrimPipe)
        .useValue(mocks.pipe)
        .overrideFilter(QuietFilter)
        .useValue(mocks.filter);
    await withApp(
      platform,
      tracing,
      async ({ get }) => {
        expect(await get('/cats/piped?q=x')).toBe('200 by the mock');
        expect(await get('/cats/fails')).toMatch(/by the mock$/);
      },
      prepare,
    );
    const { filter, guard, interceptor, pipe } = mocks;
    for (const mock of [guard.canActivate, interceptor.intercept, pipe.transform, filter.catch]) {
      expect(jest.isMockFunction(mock)).toBe(true);
      expect(mock).toHaveBeenCalled();
    }
    expect(filter.catch).toHaveBeenCalledTimes(1);
  });
});
