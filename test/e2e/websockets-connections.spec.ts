import { afterEach, describe, expect, it } from '@jest/globals';
import { NestFactory } from '@nestjs/core';
import { Inject, Injectable, Module, Scope } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { WsAdapter } from '@nestjs/platform-ws';
import {
  Ack,
  MessageBody,
  SubscribeMessage,
  WebSocketGateway,
  type MessageMappingProperties,
  type OnGatewayConnection,
  type OnGatewayDisconnect,
  type OnGatewayInit,
} from '@nestjs/websockets';
import { NoSpan, Span, TracingModule, type TracingOptions } from 'nestjs-tracing';
import { filter, fromEvent, mergeMap, type Observable } from 'rxjs';
import type { Socket } from 'socket.io-client';
import { WebSocket } from 'ws';
import { freePort } from '../support/free-port.js';
import { untraced } from '../support/http-app.js';
import { message, socketPlatforms, startSocketApp, type SocketApp } from '../support/socket-app.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { rejection, unhandledRejections } from '../support/unhandled-rejections.js';
import type { ExpectedSpan } from '../support/trace-tree.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';

class Presence {
  static readonly seen: string[] = [];
  @Span()
  async arrive(): Promise<void> {
    Presence.seen.push('arrived');
  }
}

@WebSocketGateway()
class LobbyGateway implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect {
  afterInit(): void {
    Presence.seen.push('made');
  }

  async handleConnection(): Promise<void> {
    await new Presence().arrive();
  }

  handleDisconnect(): void {}

  @SubscribeMessage('ping')
  ping(): object {
    return { event: 'pong', data: 1 };
  }
}

/** A second gateway of the same server, which does not look at connections. */
@WebSocketGateway()
class OtherGateway {
  @SubscribeMessage('other')
  other(): void {}

  @NoSpan()
  handleConnection(): void {}
}

describe.each(socketPlatforms)('a connection over %s on %s', (library, platform) => {
  let app: SocketApp;
  afterEach(() => app.close());

  const start = async (websockets: TracingOptions['websockets'] = true): Promise<void> => {
    Presence.seen.length = 0;
    app = await startSocketApp(library, platform, {
      providers: [LobbyGateway, OtherGateway],
      tracing: { websockets },
    });
  };
  const attributes = { 'network.protocol.name': library === 'ws' ? 'websocket' : 'socket.io' };
  const connected: ExpectedSpan = message(
    'connect',
    undefined,
    {
      attributes: {
        ...attributes,
        'client.address': '127.0.0.1',
        'code.function.name': 'LobbyGateway.handleConnection',
      },
    },
    { name: 'Presence.arrive' },
  );
  const disconnected: ExpectedSpan = message('disconnect', undefined, {
    attributes: {
      ...attributes,
      'code.function.name': 'LobbyGateway.handleDisconnect',
      'websocket.disconnect.reason': library === 'ws' ? '1005' : 'client namespace disconnect',
    },
  });

  it('has a short trace for each of the methods that handle its start and its end', async () => {
    await start();
    const client = await app.connect();
    expect(Presence.seen).toEqual(['made', 'arrived']);
    await app.traces.expect(connected);
    client.send('ping');
    await client.next();
    await app.traces.expect(message('ping', 'LobbyGateway.ping'));
    await client.close();
    await app.traces.expect(disconnected);
  });

  it('has none if the application does not want them', async () => {
    await start({ connections: false });
    const client = await app.connect();
    client.send('ping');
    await client.next();
    await client.close();
    await app.traces.until((spans) => spans.some(({ name }) => name === 'Presence.arrive'));
    expect(
      app.traces
        .take()
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(['LobbyGateway.ping', 'Presence.arrive', 'ping']);
  });

  it('is not traced with websockets: false, nor are its messages', async () => {
    await start(false);
    const client = await app.connect();
    client.send('ping');
    expect(await client.next()).toEqual(['pong', 1]);
    await client.close();
    expect(app.traces.take().map(({ name }) => name)).toEqual(['Presence.arrive']);
  });

  it('is ignored by its event, with all that happens in it', async () => {
    await start({ ignore: ['conn*', /^pi/] });
    const client = await app.connect();
    client.send('ping');
    await client.next();
    await client.close();
    await app.traces.expect(disconnected);
  });
});

@Injectable({ scope: Scope.REQUEST })
class Visit {
  steps = 0;
}

/** Is created for each client. */
@WebSocketGateway()
class VisitGateway {
  static readonly left: unknown[][] = [];
  constructor(@Inject(Visit) private readonly visit: Visit) {}

  async handleConnection(): Promise<void> {
    await new Presence().arrive();
    this.visit.steps++;
  }

  handleDisconnect(...args: unknown[]): void {
    VisitGateway.left.push([this.visit.steps, ...args.slice(1)]);
    if (args.length === 2) throw new Error('left badly');
  }

  @SubscribeMessage('ping')
  ping(): object {
    return { event: 'pong', data: Object.keys(this) };
  }
}

describe.each(socketPlatforms)('a gateway of request scope, over %s on %s', (library, platform) => {
  it('has a trace for the start and the end of each connection', async () => {
    const app = await startSocketApp(library, platform, { providers: [VisitGateway, Visit] });
    for (let visits = 0; visits < 2; visits++) {
      const client = await app.connect();
      await app.traces.expect(
        message(
          'connect',
          undefined,
          { attributes: { 'client.address': '127.0.0.1', 'code.function.name': 'VisitGateway.handleConnection' } },
          { name: 'Presence.arrive' },
        ),
      );
      client.send('ping');
      expect(await client.next()).toEqual(['pong', ['visit']]);
      await app.traces.expect(message('ping', 'VisitGateway.ping'));
      await client.close();
      await app.traces.until((spans) => spans.length === 1);
      const [span] = app.traces.take();
      expect(span).toMatchObject({ name: 'disconnect', status: { code: 2 }, attributes: { 'error.type': 'Error' } });
      expect(span?.events).toHaveLength(1);
    }
    const reason = library === 'ws' ? 1005 : 'client namespace disconnect';
    expect(VisitGateway.left.splice(0)).toEqual([
      [1, reason],
      [1, reason],
    ]);
    await app.close();
  });
});

@WebSocketGateway({ namespace: 'chat' })
class ChatGateway {
  handleConnection(): void {}

  @SubscribeMessage('say')
  say(@MessageBody() text: string): string {
    return text.toUpperCase();
  }

  @SubscribeMessage('later')
  later(@Ack() ack: (answer: string) => void): void {
    ack('by hand');
  }

  @SubscribeMessage('quiet')
  quiet(): void {}
}

@WebSocketGateway({ namespace: /^\/room-\d+$/ })
class RoomGateway {
  @SubscribeMessage('say')
  say(@MessageBody() text: string): string {
    return text;
  }
}

describe('Socket.IO', () => {
  let app: SocketApp | undefined;
  afterEach(() => app?.close());
  const ask = (socket: Socket, event: string, data: unknown) =>
    new Promise((resolve) => socket.emit(event, data, resolve));
  const start = (tracing: Omit<TracingOptions, 'exporter'> = {}) =>
    startSocketApp('Socket.IO', 'Express', { providers: [ChatGateway, RoomGateway], tracing }).then((it) => (app = it));

  it('names the namespace of a gateway, but none that the client chooses', async () => {
    const { connect, traces } = await start();
    const { socket } = await connect('/chat');
    await traces.expect(message('/chat connect', undefined));
    expect(await ask(socket, 'say', 'hi')).toBe('HI');
    const attributes = { 'websocket.namespace': '/chat', 'websocket.connection.id': socket.id };
    await traces.expect(message('/chat say', 'ChatGateway.say', { attributes }));
    for (const namespace of ['/room-1', '/room-2']) {
      const room = await connect(namespace);
      expect(await ask(room.socket, 'say', 'hi')).toBe('hi');
      await traces.expect(message('say', 'RoomGateway.say', { attributes: { 'websocket.namespace': namespace } }));
    }
  });

  it('shows which messages ask for an acknowledgement', async () => {
    const { connect, traces } = await start();
    const { socket } = await connect('/chat');
    await traces.expect(message('/chat connect', undefined));
    expect(await ask(socket, 'later', 'x')).toBe('by hand');
    socket.emit('quiet');
    await traces.expect(
      message('/chat later', 'ChatGateway.later', { attributes: { 'websocket.ack.requested': true } }),
      message('/chat quiet', 'ChatGateway.quiet', { attributes: { 'websocket.ack.requested': undefined } }),
    );
  });

  it('continues the trace of the request with which a client connects', async () => {
    const { connect, traces } = await start();
    const extraHeaders = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01`, 'user-agent': 'robot' };
    const { socket } = await connect('/chat', { extraHeaders });
    const attributes = { 'user_agent.original': 'robot' };
    await traces.expect(message('/chat connect', undefined, { caller: SPAN_ID, attributes }));
    // Its messages do not.
    await ask(socket, 'say', 'hi');
    await traces.expect(message('/chat say', 'ChatGateway.say'));
  });

  it('shows what fails while a client connects', async () => {
    @WebSocketGateway()
    class BrokenGateway {
      async handleConnection(): Promise<void> {
        throw new Error('no room');
      }
    }
    app = await startSocketApp('Socket.IO', 'Express', { providers: [BrokenGateway] });
    // Nest does not handle it, with tracing or without.
    const unhandled = await unhandledRejections(async () => {
      const rejected = rejection();
      await app?.connect();
      await rejected;
    });
    expect(unhandled).toEqual([new Error('no room')]);
    await app.traces.expect(
      message('connect', undefined, {
        status: 'ERROR: no room',
        attributes: { 'error.type': 'Error' },
        events: ['exception Error: no room'],
      }),
    );
  });
});

describe('an adapter of the application', () => {
  class EnvelopeAdapter extends IoAdapter {
    override bindMessageHandlers(
      socket: never,
      handlers: MessageMappingProperties[],
      transform: (data: unknown) => Observable<never>,
    ): void {
      const renamed = handlers.map((it) => ({ ...it, message: `v1.${String(it.message)}` }));
      super.bindMessageHandlers(socket, renamed, transform);
    }
  }

  // As Nest's documentation writes it.
  class OwnWsAdapter extends WsAdapter {
    override bindMessageHandlers(
      client: unknown,
      handlers: MessageMappingProperties[],
      process: (data: unknown) => Observable<unknown>,
    ): void {
      fromEvent<{ data: string }>(client as never, 'message')
        .pipe(
          mergeMap(({ data }) => {
            const { event, data: body } = JSON.parse(data) as { event: string; data: unknown };
            const found = handlers.find(({ message: handled }) => handled === event);
            return found ? process(found.callback(body)) : [];
          }),
          filter(Boolean),
        )
        .subscribe((response) => (client as WebSocket).send(JSON.stringify(response)));
    }
  }

  it('is traced, and may name events and call handlers as it likes', async () => {
    const io = await startSocketApp('Socket.IO', 'Express', {
      providers: [OtherGateway, LobbyGateway],
      tracing: { websockets: { connections: false } },
      createAdapter: (created) => new EnvelopeAdapter(created),
    });
    const client = await io.connect();
    io.traces.reset();
    client.send('v1.ping');
    expect(await client.next()).toEqual(['pong', 1]);
    await io.traces.expect(message('ping', 'LobbyGateway.ping'));
    await io.close();

    const ws = await startSocketApp('ws', 'Fastify', {
      providers: [LobbyGateway],
      tracing: { websockets: { connections: false } },
      createAdapter: (created) => new OwnWsAdapter(created),
    });
    const other = await ws.connect();
    ws.traces.reset();
    other.send('ping');
    expect(await other.next()).toEqual(['pong', 1]);
    await ws.traces.expect(message('ping', 'LobbyGateway.ping'));
    await ws.close();
  });

  it('may serve a port of its own, also in an application without an HTTP server', async () => {
    const port = await freePort();
    @WebSocketGateway(port)
    class PortGateway {
      @SubscribeMessage('ping')
      ping(): object {
        return { event: 'pong', data: 1 };
      }
    }
    const traces = new TraceRecorder();
    @Module({
      imports: [TracingModule.forRoot({ exporter: traces, spanProcessors: [traces] })],
      providers: [PortGateway],
    })
    class AppModule {}
    const { Transport } = await import('@nestjs/microservices');
    const options = { transport: Transport.TCP, options: { port: 0 }, logger: false } as const;
    const created = await NestFactory.createMicroservice(AppModule, options);
    created.useWebSocketAdapter(new WsAdapter(created));
    await created.listen();
    const socket = await untraced(async () => new WebSocket(`ws://127.0.0.1:${port}`));
    await new Promise((resolve) => socket.once('open', resolve));
    socket.send(JSON.stringify({ event: 'ping' }));
    await new Promise((resolve) => socket.once('message', resolve));
    await traces.expect(message('ping', 'PortGateway.ping'));
    socket.terminate();
    await created.close();
  });
});
