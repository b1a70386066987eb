import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Catch,
  Inject,
  Injectable,
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
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException, type WsResponse } from '@nestjs/websockets';
import { from, map, type Observable } from 'rxjs';
import { message, socketPlatforms, startSocketApp, type SocketApp, type SocketClient } from '../support/socket-app.js';
import { failed, handler, type ExpectedSpan } from '../support/trace-tree.js';

@Injectable()
class GlobalGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class ClosedGuard implements CanActivate {
  canActivate(): boolean {
    throw new WsException('closed');
  }
}

@Injectable()
class NoGuard implements CanActivate {
  canActivate(): boolean {
    return false;
  }
}

@Injectable({ scope: Scope.REQUEST })
class ScopedGuard implements CanActivate {
  canActivate(): boolean {
    return true;
  }
}

@Injectable()
class UpperInterceptor implements NestInterceptor {
  intercept(_execution: ExecutionContext, next: CallHandler<WsResponse<string>>): Observable<unknown> {
    return next.handle().pipe(map(({ event, data }) => ({ event, data: data.toUpperCase() })));
  }
}

@Injectable()
class TrimPipe implements PipeTransform {
  transform(value: unknown): unknown {
    if (value === 'malformed') throw new TypeError('malformed');
    return typeof value === 'string' ? value.trim() : value;
  }
}

@Catch()
class SayingFilter implements ExceptionFilter<Error> {
  catch(exception: Error, host: ArgumentsHost): void {
    const client = host
      .switchToWs()
      .getClient<{ emit(event: string, data: unknown): void; send?(text: string): void }>();
    const failure = { event: 'failed', data: exception.message };
    if ('nsp' in client) client.emit(failure.event, failure.data);
    else client.send?.(JSON.stringify(failure));
  }
}

@WebSocketGateway()
@UseFilters(SayingFilter)
class ChatGateway {
  @SubscribeMessage('say')
  @UseInterceptors(UpperInterceptor)
  @UsePipes(new TrimPipe())
  async say(@MessageBody() data: string): Promise<WsResponse<string>> {
    await Promise.resolve();
    return { event: 'said', data };
  }

  @SubscribeMessage('spell')
  @UseInterceptors(UpperInterceptor)
  spell(@MessageBody(TrimPipe) text: string): Observable<WsResponse<string>> {
    return from(text).pipe(map((data) => ({ event: 'spelled', data })));
  }

  @SubscribeMessage('closed')
  @UseGuards(ClosedGuard)
  closed(): void {}

  @SubscribeMessage('rejected')
  @UseGuards(NoGuard)
  rejected(): void {}
}

@Injectable({ scope: Scope.REQUEST })
class State {}

/** Is created for each client, and its filters are read for each message. */
@WebSocketGateway()
@UseFilters(SayingFilter)
class ScopedGateway {
  constructor(@Inject(State) readonly state: State) {}

  @SubscribeMessage('scoped')
  @UseGuards(ScopedGuard)
  @UseInterceptors(UpperInterceptor)
  @UsePipes(TrimPipe)
  scoped(@MessageBody() data: string): WsResponse<string> {
    if (data === 'fail') throw new RangeError('too far');
    return { event: 'scoped', data };
  }
}

function stage(name: string, kind: string, method: string, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'nestjs.stage': kind, 'code.function.name': `${name}.${method}` }, children };
}
const guard = (name: string) => stage(name, 'guard', 'canActivate');
const upper = (...children: ExpectedSpan[]) => stage('UpperInterceptor', 'interceptor', 'intercept', ...children);
const trim = stage('TrimPipe', 'pipe', 'transform');
const filter = stage('SayingFilter', 'filter', 'catch');
const error = (span: ExpectedSpan): ExpectedSpan => ({ ...span, status: 'ERROR' });

describe.each(socketPlatforms)('the stages of a message over %s on %s', (library, platform) => {
  let app: SocketApp;
  let client: SocketClient;
  beforeAll(async () => {
    app = await startSocketApp(library, platform, {
      providers: [ChatGateway, ScopedGateway, State, { provide: APP_GUARD, useClass: GlobalGuard }],
      tracing: { nest: { lifecycle: true } },
    });
    client = await app.connect();
  });
  afterAll(() => app.close());

  const ask = async (event: string, data: unknown = ''): Promise<unknown> => {
    client.send(event, data);
    return client.next();
  };

  it('have spans, with pipes and the handler within the interceptor', async () => {
    expect(await ask('say', ' hi ')).toEqual(['said', 'HI']);
    await app.traces.expect(
      message('say', undefined, {}, guard('GlobalGuard'), upper(trim, handler('ChatGateway.say'))),
    );
    expect(await ask('say', 'malformed')).toEqual(['failed', 'malformed']);
    await app.traces.expect(
      message(
        'say',
        undefined,
        { status: 'ERROR', attributes: { 'error.type': 'TypeError' } },
        guard('GlobalGuard'),
        error(upper(failed(trim, 'TypeError: malformed'))),
        filter,
      ),
    );
  });

  it('last as long as the answers', async () => {
    expect([await ask('spell', ' ab'), await client.next()]).toEqual([
      ['spelled', 'A'],
      ['spelled', 'B'],
    ]);
    await app.traces.expect(
      message(
        'spell',
        undefined,
        { attributes: { 'websocket.answers': 2 } },
        guard('GlobalGuard'),
        upper(trim, handler('ChatGateway.spell')),
      ),
    );
  });

  it('show who has rejected a message, and the filter', async () => {
    expect(await ask('closed')).toEqual(['failed', 'closed']);
    await app.traces.expect(
      message(
        'closed',
        undefined,
        {},
        guard('GlobalGuard'),
        failed(guard('ClosedGuard'), 'WsException: closed'),
        filter,
      ),
    );
    expect(await ask('rejected')).toEqual(['failed', 'Forbidden resource']);
    const no = guard('NoGuard');
    await app.traces.expect(
      message(
        'rejected',
        undefined,
        {},
        guard('GlobalGuard'),
        { ...no, attributes: { ...no.attributes, 'nestjs.guard.rejected': true } },
        filter,
      ),
    );
  });

  it('have spans in a gateway of request scope', async () => {
    expect(await ask('scoped', ' hi ')).toEqual(['scoped', 'HI']);
    const guards = [guard('GlobalGuard'), guard('ScopedGuard')];
    await app.traces.expect(message('scoped', undefined, {}, ...guards, upper(trim, handler('ScopedGateway.scoped'))));
    expect(await ask('scoped', 'fail')).toEqual(['failed', 'too far']);
    await app.traces.expect(
      message(
        'scoped',
        undefined,
        { status: 'ERROR', attributes: { 'error.type': 'RangeError' } },
        ...guards,
        error(upper(trim, failed(handler('ScopedGateway.scoped'), 'RangeError: too far'))),
        filter,
      ),
    );
  });
});
