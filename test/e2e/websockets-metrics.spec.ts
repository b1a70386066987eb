import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { MessageBody, SubscribeMessage, WebSocketGateway, WsException } from '@nestjs/websockets';
import type { TracingOptions } from 'nestjs-tracing';
import { untraced } from '../support/http-app.js';
import { startSocketApp, type SocketApp } from '../support/socket-app.js';
import { Scrape } from '../support/scrape.js';
import { waitFor } from '../support/wait-for.js';

const DURATION = 'websocket_server_message_duration_seconds';
const CONNECTIONS = 'websocket_server_active_connections';

@WebSocketGateway({ namespace: 'chat' })
class ChatGateway {
  handleConnection(): void {}
  @SubscribeMessage('say')
  say(@MessageBody() text: string): object {
    if (text === 'fail') throw new TypeError('no');
    if (text === 'reject') throw new WsException('no');
    return { event: 'said', data: text };
  }
}

@WebSocketGateway({ namespace: /^\/room-\d+$/ })
class RoomGateway {
  @SubscribeMessage('say')
  say(): object {
    return { event: 'said', data: 'room' };
  }
}

describe('metrics of messages', () => {
  let app: SocketApp;
  const start = async (tracing: Omit<TracingOptions, 'exporter'> = {}): Promise<void> => {
    app = await startSocketApp('Socket.IO', 'Express', {
      providers: [ChatGateway, RoomGateway],
      tracing: { metrics: { path: '/metrics', defaultMetrics: false }, ...tracing },
    });
  };
  beforeEach(() => start());
  afterEach(() => app.close());
  const counted = (count: number) => Scrape.counted(`${app.url}/metrics`, DURATION, count);
  const connections = (expected: Record<string, number>) =>
    waitFor({
      expected: JSON.stringify(expected),
      look: async () => {
        const found = (await untraced(() => Scrape.of(`${app.url}/metrics`))).find(CONNECTIONS);
        return Object.fromEntries(found.map(({ labels, value }) => [labels.websocket_namespace, value]));
      },
      isExpected: (seen) => JSON.stringify(seen) === JSON.stringify(expected),
    });

  it('are counted by event and namespace, and nothing that a client chooses', async () => {
    const chat = await app.connect('/chat');
    for (const text of ['hi', 'fail', 'reject']) {
      chat.send('say', text);
      await chat.next();
    }
    for (const namespace of ['/room-1', '/room-2']) {
      const room = await app.connect(namespace);
      room.send('say');
      await room.next();
    }
    const found = await counted(5);
    const common = { network_protocol_name: 'socket.io', websocket_event: 'say' };
    expect(found.labels(`${DURATION}_count`)).toEqual(
      expect.arrayContaining([
        { ...common, websocket_namespace: '/chat' },
        { ...common, websocket_namespace: '/chat', error_type: 'TypeError' },
        { ...common, websocket_namespace: '_OTHER' },
      ]),
    );
    expect(found.labels(`${DURATION}_count`)).toHaveLength(3);
    expect(found.value(`${DURATION}_count`, { websocket_namespace: '/chat', error_type: undefined })).toBe(2);
    const traceIds = app.traces.spans
      .filter(({ name }) => name.endsWith('say'))
      .map((span) => span.spanContext().traceId);
    const exemplars = found.exemplars(`${DURATION}_bucket`);
    expect(exemplars.length).toBeGreaterThan(0);
    for (const { exemplar } of exemplars) expect(traceIds).toContain(exemplar.labels.trace_id);
  });

  it('count the clients that are connected', async () => {
    const one = await app.connect('/chat');
    const two = await app.connect('/chat');
    const room = await app.connect('/room-7');
    expect(await connections({ '/chat': 2, _OTHER: 1 })).toBeDefined();
    await two.close();
    await room.close();
    expect(await connections({ '/chat': 1, _OTHER: 0 })).toBeDefined();
    await one.close();
    expect(await connections({ '/chat': 0, _OTHER: 0 })).toBeDefined();
  });

  it('include messages that are not sampled', async () => {
    await app.close();
    await start({ sampler: 'always_off' });
    const chat = await app.connect('/chat');
    chat.send('say', 'fail');
    await chat.next();
    const found = await counted(1);
    expect(found.labels(`${DURATION}_count`)[0]).toMatchObject({ error_type: 'TypeError' });
    expect(app.traces.spans).toEqual([]);
  });
});
