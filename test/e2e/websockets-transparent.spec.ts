import { describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  createParamDecorator,
  Injectable,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
  type CanActivate,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type INestApplication,
} from '@nestjs/common';
import {
  BaseWsExceptionFilter,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WebSocketServer,
  WsException,
} from '@nestjs/websockets';
import { from, map, NEVER, of, throwError, type Observable } from 'rxjs';
import { socketPlatforms, startSocketApp, type SocketApp } from '../support/socket-app.js';

// Each test compares an application with tracing to the same application without tracing.

const seen: unknown[] = [];

@Injectable()
class OpenGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    seen.push(context.getHandler(), context.getClass(), context.getArgs().length, context.getType());
    return true;
  }
}

@Injectable()
class Shouting implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler<{ event: string; data: unknown }>): Observable<unknown> {
    return next.handle().pipe(map((answer) => ({ ...answer, data: `${String(answer.data)}!` })));
  }
}

@Catch(TypeError)
class TypeFilter extends BaseWsExceptionFilter {}

const Handler = createParamDecorator((_data, context: ExecutionContext) => context.getHandler());

class BaseGateway {
  @SubscribeMessage('inherited')
  inherited(): object {
    return { event: 'answer', data: 'inherited' };
  }
}

@WebSocketGateway()
@UseFilters(TypeFilter)
class AnyGateway extends BaseGateway {
  @WebSocketServer() server: unknown;

  afterInit(server: unknown): void {
    seen.push(['afterInit', typeof server]);
  }

  handleConnection(...args: unknown[]): void {
    seen.push(['connect', args.length, this instanceof AnyGateway, this.server !== undefined]);
  }

  handleDisconnect(...args: unknown[]): void {
    seen.push(['disconnect', args.length]);
  }

  @SubscribeMessage('answers')
  @UseGuards(OpenGuard)
  @UseInterceptors(Shouting)
  answers(@MessageBody() data: unknown, @Handler() handler: unknown): object {
    seen.push(handler, data);
    return { event: 'answer', data };
  }

  @SubscribeMessage('bare')
  bare(...args: unknown[]): object {
    seen.push(args.length, typeof args[0], args[1]);
    return { event: 'answer', data: 'bare' };
  }

  @SubscribeMessage('kinds')
  kinds(@MessageBody() kind: string): unknown {
    const answer = { event: 'answer', data: kind };
    switch (kind) {
      case 'promise':
        return Promise.resolve(answer);
      case 'stream':
        return of(answer);
      case 'promise of a stream':
        return Promise.resolve(from([answer]));
      case 'TypeError':
        throw new TypeError('type');
      case 'WsException':
        throw new WsException({ code: 7 });
      case 'rejection':
        return Promise.reject(new Error('rejected'));
      case 'failing stream':
        return throwError(() => new WsException('streamed'));
      case 'endless stream':
        return NEVER;
      case 'nothing':
        return undefined;
      default:
        return null;
    }
  }
}

@WebSocketGateway()
@Injectable({ scope: Scope.REQUEST })
class ScopedGateway {
  @SubscribeMessage('scoped')
  @UseFilters(TypeFilter)
  scoped(@MessageBody() data: string): object {
    if (data === 'fails') throw new TypeError('scoped');
    return { event: 'answer', data: 'scoped' };
  }
}

describe.each(socketPlatforms)('with tracing of %s on %s', (library, platform) => {
  async function withApp<T>(traced: boolean, use: (app: SocketApp) => Promise<T>): Promise<[T, unknown[]]> {
    seen.length = 0;
    const app = await startSocketApp(library, platform, {
      providers: [AnyGateway, ScopedGateway, OpenGuard, Shouting, TypeFilter],
      tracing: traced ? {} : false,
    });
    try {
      const result = await use(app);
      // Without these spans, the test would compare two applications without tracing.
      expect(app.traces.take().length > 0).toBe(traced);
      return [result, [...seen]];
    } finally {
      await app.close();
    }
  }

  async function expectSame<T>(use: (app: SocketApp) => Promise<T>): Promise<[T, unknown[]]> {
    const bare = await withApp(false, use);
    expect(await withApp(true, use)).toEqual(bare);
    return bare;
  }

  it('handlers get the same arguments, and clients the same answers', async () => {
    const [, noted] = await expectSame(async (app) => {
      const client = await app.connect();
      const answers: unknown[] = [];
      for (const [event, data] of [
        ['answers', 'hi'],
        ['answers', { deep: [1] }],
        ['bare', 'data'],
        ['inherited', 'x'],
        ['scoped', 'x'],
        ['scoped', 'fails'],
        ...['promise', 'stream', 'promise of a stream', 'TypeError', 'WsException', 'rejection', 'failing stream'].map(
          (kind) => ['kinds', kind] as const,
        ),
      ] as const) {
        client.send(event, data);
        answers.push(await client.next());
      }
      // These have no answer, so that of the next message is the next.
      for (const kind of ['nothing', 'null', 'endless stream', 'promise']) client.send('kinds', kind);
      answers.push(await client.next());
      return answers;
    });
    expect(noted).toContain(AnyGateway.prototype.answers);
    expect(noted).toContainEqual(['connect', library === 'ws' ? 2 : 1, true, true]);
  });

  it('gateways, handlers and filters have the properties and the metadata that they had', async () => {
    const described = (app: INestApplication) => ({
      gateway: [Object.keys(app.get(AnyGateway)), Reflect.ownKeys(AnyGateway.prototype)],
      lifecycle: [app.get(AnyGateway).handleConnection === AnyGateway.prototype.handleConnection],
      handler: [AnyGateway.prototype.answers.name, AnyGateway.prototype.answers.length],
      keys: Object.keys(AnyGateway.prototype.answers),
      metadata: [
        Reflect.getMetadata('__exceptionFilters__', AnyGateway),
        Reflect.getMetadataKeys(AnyGateway),
        Reflect.getMetadataKeys(AnyGateway.prototype.answers),
      ],
      filter: [Reflect.ownKeys(app.get(TypeFilter)), app.get(TypeFilter).catch === TypeFilter.prototype.catch],
    });
    await expectSame(async (app) => {
      const client = await app.connect();
      client.send('inherited');
      await client.next();
      return described(app.app);
    });
    // That of a gateway of request scope as well, once the application is closed.
    expect(Reflect.getMetadata('__exceptionFilters__', ScopedGateway)).toBeUndefined();
  });

  it('a spy on a gateway sees as much as without it', async () => {
    await expectSame(async (app) => {
      const spies = [
        jest.spyOn(AnyGateway.prototype, 'handleConnection'),
        jest.spyOn(AnyGateway.prototype, 'inherited'),
        jest.spyOn(app.app.get(AnyGateway), 'handleDisconnect'),
      ];
      const client = await app.connect();
      client.send('inherited');
      await client.next();
      const calls = spies.map(({ mock }) => mock.calls.length);
      for (const spy of spies) spy.mockRestore();
      return calls;
    });
  });
});
