/** Messages over a real Redis. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { Transport } from '@nestjs/microservices';
import { Redis } from 'ioredis';
import { firstValueFrom } from 'rxjs';
import {
  answererOf,
  listenerTo,
  startMessagingApp,
  untilReceived,
  withMessagingApp,
  type TransportOptions,
} from '../support/messaging-app.js';
import { emitByBoth, HOSTILE_METADATA } from '../support/messaging-neutrality.js';
import { describeTransport } from '../support/messaging-suite.js';
import { handler } from '../support/trace-tree.js';
import type { Broker } from './support/brokers.js';
import { startRedis } from './support/databases.js';

let server: Broker;
let plain: Redis;
let plainSubscriber: Redis;

const connection = () => ({ host: '127.0.0.1', port: server.port, password: 'secret' });
const redis = (options: object = {}): TransportOptions => ({
  transport: Transport.REDIS,
  options: { ...connection(), ...options },
});

beforeAll(async () => {
  server = await startRedis(['--requirepass', 'secret']);
  plain = new Redis(connection());
  plainSubscriber = new Redis(connection());
});

afterAll(async () => {
  await Promise.all([plain.quit(), plainSubscriber.quit()]);
  await server.stop();
});

describeTransport('Redis', { system: 'redis', options: redis });

describe('Redis', () => {
  it('names a message after the pattern with wildcards, and has its channel', async () => {
    const controllers = [listenerTo('orders.*'), answererOf('*.prices')];
    await withMessagingApp(redis({ wildcards: true }), { controllers }, async ({ client, traces }) => {
      const heard = untilReceived('heard');
      client.emit('orders.placed', { id: 7 });
      await expect(heard).resolves.toMatchObject({ data: { id: 7 } });
      await expect(firstValueFrom(client.send('tea.prices', { a: 1 }))).resolves.toBe('{"a":1}');
      await traces.until((all) => all.length === 6);
      expect(traces.named('process orders.*').attributes).toMatchObject({
        'messaging.destination.name': 'orders.placed',
        'messaging.destination.template': 'orders.*',
      });
      expect(traces.named('*.prices').attributes).toMatchObject({ 'messaging.destination.name': 'tea.prices' });
      expect(traces.named('*.prices').parentSpanContext?.spanId).toBe(traces.named('tea.prices').spanContext().spanId);
    });
  });

  it('has no spans for the commands of the transport, from its start to its end', async () => {
    const messaging = await startMessagingApp(redis(), { controllers: [answererOf('ask')] });
    expect(messaging.traces.take()).toEqual([]);
    await firstValueFrom(messaging.client.send('ask', 1));
    await messaging.traces.expect({
      name: 'ask',
      kind: 'CLIENT',
      children: [{ name: 'ask', kind: 'SERVER', children: [handler('Answerer.answer')] }],
    });
    await messaging.close();
    expect(messaging.traces.take()).toEqual([]);
  });

  it('sends the same message as without tracing, beside the metadata', async () => {
    await withMessagingApp(redis(), { controllers: [] }, async (messaging) => {
      await plainSubscriber.subscribe('plain');
      const nextMessage = async () => ((await once(plainSubscriber, 'message')) as [string, string])[1];
      const next = async () => ({ message: nextMessage() });
      const data = Object.freeze({ toJSON: () => ({ metadata: 'mine', text: 'ä' }) });
      const { bare, traced } = await emitByBoth(messaging, redis(), next, 'plain', () => data);
      const { metadata, ...packet } = JSON.parse(traced) as { metadata: object };
      expect(JSON.stringify(packet)).toBe(bare);
      expect(Object.keys(metadata)).toEqual(['traceparent']);
      await plainSubscriber.unsubscribe('plain');
    });
  });

  it('handles what a plain producer sends as without tracing', async () => {
    await withMessagingApp(redis(), { controllers: [listenerTo('plain')] }, async ({ traces }) => {
      const raw = ['text', '7', '{"a":1}', '[1]', '"x"', '{"pattern":"plain"}', '{"data":{"metadata":{}}}'];
      const expected = ['text', 7, { a: 1 }, [1], 'x', undefined, { metadata: {} }];
      for (const [index, message] of raw.entries()) {
        const heard = untilReceived('heard');
        await plain.publish('plain', message);
        await expect(heard).resolves.toMatchObject({ data: expected[index] });
      }
      await traces.until((all) => all.length === 2 * raw.length);
      expect(traces.spans.filter(({ kind }) => kind === 4).map((span) => [span.name, span.links, span.status])).toEqual(
        raw.map(() => ['process plain', [], { code: 0 }]),
      );
    });
  });

  it('ignores what is no trace context, whatever it is', async () => {
    await withMessagingApp(redis(), { controllers: [listenerTo('plain')] }, async ({ traces }) => {
      for (const metadata of HOSTILE_METADATA) {
        const heard = untilReceived('heard');
        await plain.publish('plain', JSON.stringify({ pattern: 'plain', data: 'x', metadata }));
        await expect(heard).resolves.toMatchObject({ data: 'x' });
      }
      await traces.until((all) => all.length === 2 * HOSTILE_METADATA.length);
      expect('polluted' in {}).toBe(false);
      expect(traces.spans.filter(({ status }) => status.code !== 0)).toEqual([]);
    });
  });
});
