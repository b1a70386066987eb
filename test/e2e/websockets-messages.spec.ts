import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
import {
  BaseWsExceptionFilter,
  ConnectedSocket,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  WsException,
  type WsResponse,
} from '@nestjs/websockets';
import { type Span as OpenTelemetrySpan } from '@opentelemetry/api';
import { CurrentSpan, NoSpan, Span, TracingService } from 'nestjs-tracing';
import { concat, from, map, of, throwError, timer, type Observable } from 'rxjs';
import { message, socketPlatforms, startSocketApp, type SocketApp, type SocketClient } from '../support/socket-app.js';
import { failed, handler } from '../support/trace-tree.js';

interface Answer {
  event: string;
  data: unknown;
}

@Injectable()
class RoomsService {
  @Span()
  async open(name: string): Promise<string> {
    if (name === 'broken') throw new Error('no such room');
    return `${name} is open`;
  }
}

@Injectable()
class Closed implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const data = context.switchToWs().getData<string>();
    if (data === 'throws') throw new WsException('closed');
    return data !== 'rejected';
  }
}

@Injectable()
class Tagging implements NestInterceptor {
  constructor(@Inject(TracingService) private readonly tracing: TracingService) {}
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return this.tracing.span('tag', () => next.handle());
  }
}

@Injectable()
class Strict implements PipeTransform {
  transform(value: unknown): unknown {
    if (value === 'malformed') throw new TypeError('malformed');
    return value;
  }
}

@Catch(RangeError)
class RangeFilter extends BaseWsExceptionFilter implements ExceptionFilter {
  override catch(_exception: RangeError, host: ArgumentsHost): void {
    this.handleError(host.switchToWs().getClient(), new WsException('out of range'), { pattern: '', data: undefined });
  }
}

@WebSocketGateway()
class ChatGateway {
  constructor(@Inject(RoomsService) private readonly rooms: RoomsService) {}

  @SubscribeMessage('join')
  async join(@MessageBody() name: string): Promise<Answer> {
    return { event: 'joined', data: await this.rooms.open(name) };
  }

  @SubscribeMessage('silent')
  silent(@ConnectedSocket() client: object, @CurrentSpan() span: OpenTelemetrySpan): void {
    span.setAttribute('client', typeof client);
  }

  @SubscribeMessage('count')
  count(): Observable<WsResponse<number>> {
    return from([1, 2, 3]).pipe(map((data) => ({ event: 'counted', data })));
  }

  @SubscribeMessage('stops')
  stops(): Observable<WsResponse<number>> {
    return concat(
      of({ event: 'counted', data: 1 }),
      timer(1).pipe(
        map(() => {
          throw new Error('out of numbers');
        }),
      ),
    );
  }

  @SubscribeMessage('fails')
  fails(@MessageBody() kind: string): Observable<Answer> | Promise<Answer> {
    if (kind === 'rejected') return Promise.reject(new WsException('not like this'));
    if (kind === 'stream') return throwError(() => new Error('no stream'));
    throw new Error('broke');
  }

  @SubscribeMessage('guarded')
  @UseGuards(Closed)
  guarded(): Answer {
    return { event: 'guarded', data: 'open' };
  }

  @SubscribeMessage('tagged')
  @UseInterceptors(Tagging)
  tagged(): Answer {
    return { event: 'tagged', data: 'yes' };
  }

  @SubscribeMessage('piped')
  @UsePipes(Strict)
  piped(@MessageBody() data: string): Answer {
    return { event: 'piped', data };
  }

  @SubscribeMessage('filtered')
  @UseFilters(RangeFilter)
  filtered(): never {
    throw new RangeError('too far');
  }

  @SubscribeMessage('untraced')
  @NoSpan()
  async untraced(@MessageBody() name: string): Promise<Answer> {
    return { event: 'untraced', data: await this.rooms.open(name) };
  }
}

@Injectable({ scope: Scope.REQUEST })
class Greeter {
  greet(): string {
    return 'hello';
  }
}

@WebSocketGateway()
class ScopedGateway {
  constructor(@Inject(Greeter) private readonly greeter: Greeter) {}

  @SubscribeMessage('greet')
  @UseGuards(Closed)
  greet(): Answer {
    return { event: 'greeted', data: this.greeter.greet() };
  }
}

describe.each(socketPlatforms)('a message over %s on %s', (library, platform) => {
  let app: SocketApp;
  let client: SocketClient;
  const protocol = library === 'ws' ? 'websocket' : 'socket.io';

  beforeEach(async () => {
    app = await startSocketApp(library, platform, { providers: [ChatGateway, ScopedGateway, Greeter, RoomsService] });
    client = await app.connect();
  });
  afterEach(() => app.close());

  it('is a trace of its own, with its handler and what that calls', async () => {
    client.send('join', 'lobby');
    expect(await client.next()).toEqual(['joined', 'lobby is open']);
    await app.traces.expect(
      message(
        'join',
        'ChatGateway.join',
        {
          attributes: {
            'network.protocol.name': protocol,
            'websocket.event': 'join',
            'websocket.namespace': library === 'ws' ? undefined : '/',
            'websocket.answers': 1,
            'websocket.ack.requested': undefined,
            'error.type': undefined,
          },
        },
        { name: 'RoomsService.open' },
      ),
    );
    client.send('silent');
    client.send('silent');
    const silent = message('silent', 'ChatGateway.silent', { attributes: { 'websocket.answers': 0 } });
    silent.children![0]!.attributes = { client: 'object' };
    await app.traces.expect(silent, silent);
  });

  it('lasts until the last answer', async () => {
    client.send('count');
    for (const number of [1, 2, 3]) expect(await client.next()).toEqual(['counted', number]);
    await app.traces.expect(message('count', 'ChatGateway.count', { attributes: { 'websocket.answers': 3 } }));
    client.send('stops');
    expect(await client.next()).toEqual(['counted', 1]);
    await client.next();
    await app.traces.expect({
      ...message('stops', undefined, {
        status: 'ERROR',
        attributes: { 'websocket.answers': 1, 'error.type': 'Error' },
      }),
      children: [failed(handler('ChatGateway.stops'), 'Error: out of numbers')],
    });
  });

  it('has failed because of an exception, but not because of one that is an answer', async () => {
    client.send('fails', 'thrown');
    expect((await client.next())[0]).toBe('exception');
    await app.traces.expect({
      ...message('fails', undefined, { status: 'ERROR', attributes: { 'error.type': 'Error' } }),
      children: [failed(handler('ChatGateway.fails'), 'Error: broke')],
    });
    client.send('fails', 'stream');
    await client.next();
    await app.traces.expect({
      ...message('fails', undefined, { status: 'ERROR' }),
      children: [failed(handler('ChatGateway.fails'), 'Error: no stream')],
    });
    client.send('fails', 'rejected');
    expect(await client.next()).toMatchObject(['exception', { message: 'not like this' }]);
    await app.traces.expect({
      ...message('fails', undefined, { attributes: { 'error.type': undefined } }),
      children: [failed(handler('ChatGateway.fails'), 'WsException: not like this')],
    });
    client.send('filtered');
    expect(await client.next()).toMatchObject(['exception', { message: 'out of range' }]);
    await app.traces.expect({
      ...message('filtered', undefined, { status: 'ERROR', attributes: { 'error.type': 'RangeError' } }),
      children: [failed(handler('ChatGateway.filtered'), 'RangeError: too far')],
    });
  });

  it('covers guards, interceptors and pipes, and records what they throw', async () => {
    client.send('guarded', 'open');
    await client.next();
    await app.traces.expect(message('guarded', 'ChatGateway.guarded'));
    client.send('guarded', 'throws');
    await client.next();
    await app.traces.expect(message('guarded', undefined, { events: ['exception WsException: closed'] }));
    client.send('guarded', 'rejected');
    await client.next();
    await app.traces.expect(message('guarded', undefined));
    client.send('tagged');
    await client.next();
    await app.traces.expect(
      message('tagged', undefined, {}, { name: 'tag', children: [handler('ChatGateway.tagged')] }),
    );
    client.send('piped', 'malformed');
    await client.next();
    const attributes = { 'error.type': 'TypeError' };
    const events = ['exception TypeError: malformed'];
    await app.traces.expect(message('piped', undefined, { status: 'ERROR: malformed', attributes, events }));
  });

  it('is traced in a gateway of request scope as well', async () => {
    client.send('greet', 'open');
    expect(await client.next()).toEqual(['greeted', 'hello']);
    await app.traces.expect(message('greet', 'ScopedGateway.greet'));
    client.send('greet', 'throws');
    await client.next();
    await app.traces.expect(message('greet', undefined, { events: ['exception WsException: closed'] }));
  });

  it('is not traced if its handler has @NoSpan(), nor if no handler has its event', async () => {
    client.send('untraced', 'lobby');
    await client.next();
    expect(app.traces.take()).toEqual([]);
    // The discarded span never ends.
    app.traces.reset();
    client.send('order 4711', {});
    client.send('join', 'lobby');
    await client.next();
    await app.traces.expect(message('join', 'ChatGateway.join', {}, { name: 'RoomsService.open' }));
  });
});
