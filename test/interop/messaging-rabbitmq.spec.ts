/** Messages over a real RabbitMQ. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, type Type } from '@nestjs/common';
import { Ctx, EventPattern, RmqContext, RmqRecordBuilder, Transport } from '@nestjs/microservices';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { connect, type Channel, type ChannelModel, type ConsumeMessage } from 'amqplib';
import {
  answererOf,
  listenerTo,
  untilReceived,
  withMessagingApp,
  type Heard,
  type TransportOptions,
} from '../support/messaging-app.js';
import { emitByBoth, HOSTILE_METADATA, withoutTraceContext } from '../support/messaging-neutrality.js';
import { describeTransport } from '../support/messaging-suite.js';
import { startRabbitmq, type Broker } from './support/brokers.js';
import { firstValueFrom } from 'rxjs';

let broker: Broker;
let plain: ChannelModel;
let channel: Channel;
let count = 0;

const url = () => `amqp://127.0.0.1:${broker.port}`;
const rabbit = (options: object = {}): TransportOptions => ({
  transport: Transport.RMQ,
  options: { urls: [url()], queueOptions: { durable: false }, ...options },
});
/** The options of a queue that no other test uses. */
const newQueue = (options: object = {}) => rabbit({ queue: `queue${++count}`, ...options });
const queueOf = ({ options }: TransportOptions) => (options as { queue: string }).queue;

beforeAll(async () => {
  broker = await startRabbitmq();
  plain = await connect(url());
  channel = await plain.createChannel();
}, 120_000);

afterAll(async () => {
  await plain.close();
  await broker.stop();
});

describeTransport('RabbitMQ', {
  receivesUnmatched: true,
  system: 'rabbitmq',
  destination: () => 'stock',
  options: () => rabbit({ queue: 'stock' }),
});

const eventsOf = (span: ReadableSpan) =>
  span.events.map(({ name, attributes }) => [name, attributes?.['messaging.rabbitmq.requeue']]);

/** Settles each message in another way. */
function settlingController(settle: (channel: Channel, message: ConsumeMessage) => void): Type {
  @Controller()
  class Settling {
    @EventPattern('settled')
    settle(@Ctx() context: RmqContext): void {
      settle(context.getChannelRef() as Channel, context.getMessage() as ConsumeMessage);
    }
  }
  return Settling;
}

describe('RabbitMQ', () => {
  it.each([
    ['ack', (it: Channel, message: ConsumeMessage) => it.ack(message), [['messaging.ack', undefined]]],
    [
      'nack without requeue',
      (it: Channel, message: ConsumeMessage) => it.nack(message, false, false),
      [
        ['messaging.nack', false],
        ['messaging.dead_letter', undefined],
      ],
    ],
    [
      'reject without requeue',
      (it: Channel, message: ConsumeMessage) => it.reject(message, false),
      [
        ['messaging.reject', false],
        ['messaging.dead_letter', undefined],
      ],
    ],
  ] as const)('records %s as an event', async (_name, settle, events) => {
    const options = newQueue({ noAck: false });
    await withMessagingApp(
      options,
      { controllers: [settlingController(settle)], clientOptions: newQueue() },
      async ({ traces }) => {
        channel.sendToQueue(queueOf(options), Buffer.from('{"pattern":"settled","data":1}'));
        await traces.until((all) => all.length === 2);
        const recorded = traces.spans.flatMap(eventsOf);
        expect(recorded).toEqual(events);
      },
    );
  });

  it('has a span for each delivery of a message that was put back', async () => {
    let deliveries = 0;
    const controller = settlingController((it, message) => {
      if (++deliveries === 1) it.nack(message);
      else it.ack(message);
    });
    const options = newQueue({ noAck: false });
    await withMessagingApp(options, { controllers: [controller], clientOptions: newQueue() }, async ({ traces }) => {
      channel.sendToQueue(queueOf(options), Buffer.from('{"pattern":"settled","data":1}'));
      await traces.until((all) => all.length === 4);
      expect(traces.spans.flatMap(eventsOf)).toEqual([
        ['messaging.nack', true],
        ['messaging.ack', undefined],
      ]);
    });
  });

  it('names a message after the pattern with wildcards, and has exchange and routing key', async () => {
    const options = newQueue({ wildcards: true });
    const controllers = [listenerTo('orders.#'), answererOf('prices.*')];
    await withMessagingApp(options, { controllers }, async ({ client, traces }) => {
      const heard = untilReceived('heard');
      client.emit('orders.tea.placed', { id: 7 });
      await expect(heard).resolves.toMatchObject({ data: { id: 7 } });
      await expect(firstValueFrom(client.send('prices.tea', 1))).resolves.toBe('1');
      await traces.until((all) => all.length === 6);
      const destination = `${queueOf(options)}:orders.tea.placed`;
      expect(traces.named('process orders.#').attributes).toMatchObject({
        'messaging.destination.name': destination,
        'messaging.rabbitmq.destination.routing_key': 'orders.tea.placed',
      });
      expect(traces.named('send orders.tea.placed').attributes).toMatchObject({
        'messaging.destination.name': destination,
      });
      expect(traces.named('prices.*').parentSpanContext?.spanId).toBe(traces.named('prices.tea').spanContext().spanId);
    });
  });

  it('links each receiver of a fanout exchange to the sender', async () => {
    const exchange = `fanout${++count}`;
    const fanout = () => newQueue({ exchange, exchangeType: 'fanout' });
    await withMessagingApp(fanout(), { controllers: [listenerTo('news')] }, async ({ client, traces }) => {
      await withMessagingApp(fanout(), { controllers: [listenerTo('news')] }, async () => {
        const both = [untilReceived('heard'), untilReceived('heard')];
        client.emit('news', 'x');
        await Promise.all(both);
        await traces.until((all) => all.length === 5);
        const sent = traces.named('send news').spanContext().spanId;
        const links = traces.spans.filter(({ kind }) => kind === 4).map((span) => span.links[0]?.context.spanId);
        expect(links).toEqual([sent, sent]);
      });
    });
  });

  it('keeps the headers of the application, and leaves its objects alone', async () => {
    const record = new RmqRecordBuilder({ id: 7 })
      .setOptions(Object.freeze({ headers: Object.freeze({ 'x-version': '1', number: 2 }) as never, priority: 3 }))
      .build();
    const options = newQueue({ headers: { tenant: 'acme' } });
    await withMessagingApp(options, { controllers: [listenerTo('plain')] }, async ({ client }) => {
      const heard = untilReceived('heard') as Promise<Heard<RmqContext>>;
      client.emit('plain', record);
      const { data, rpcContext } = await heard;
      const { properties } = rpcContext.getMessage() as ConsumeMessage;
      expect(data).toEqual({ id: 7 });
      expect(withoutTraceContext(properties.headers)).toEqual({ tenant: 'acme', 'x-version': '1', number: 2 });
      expect(properties.priority).toBe(3);
    });
  });

  const SENT: [string, object, () => unknown][] = [
    ['a payload', {}, () => ({ id: 7 })],
    ['static headers', { headers: { tenant: 'acme' } }, () => 'text'],
    ['a record', {}, () => new RmqRecordBuilder([1]).setOptions({ headers: { a: 'b' }, messageId: 'm' }).build()],
  ];

  it.each(SENT)('sends the same as without tracing: %s', async (_name, more, data) => {
    const target = newQueue(more);
    await channel.assertQueue(queueOf(target), { durable: false });
    const next = async () => {
      const message = await new Promise<ConsumeMessage>((resolve, reject) => {
        const tag = `consumer${++count}`;
        const receive = (it: ConsumeMessage | null) => {
          void channel.cancel(tag);
          if (it) resolve(it);
          else reject(new Error('cancelled'));
        };
        void channel.consume(queueOf(target), receive, { noAck: true, consumerTag: tag });
      });
      return message;
    };
    await withMessagingApp(newQueue(), { controllers: [], clientOptions: target }, async (messaging) => {
      const { bare, traced } = await emitByBoth(messaging, target, async () => ({ message: next() }), 'plain', data);
      expect(traced.content.toString()).toBe(bare.content.toString());
      const { headers, ...properties } = traced.properties;
      expect(headers?.['traceparent']).toMatch(/^00-/);
      const { headers: bareHeaders, ...bareProperties } = bare.properties;
      expect(properties).toEqual(bareProperties);
      expect(withoutTraceContext(headers)).toEqual(withoutTraceContext(bareHeaders));
    });
  });

  it('handles what a plain producer sends as without tracing, whatever its headers are', async () => {
    const options = newQueue();
    await withMessagingApp(options, { controllers: [listenerTo('plain')] }, async ({ traces }) => {
      const content = Buffer.from('{"pattern":"plain","data":"x"}');
      const headers = [undefined, ...HOSTILE_METADATA.filter((it) => typeof it === 'object' && !Array.isArray(it))];
      for (const each of headers) {
        const heard = untilReceived('heard');
        const sent = each && Object.fromEntries(Object.entries(each).map(([key, it]) => [key, shortened(it)]));
        channel.sendToQueue(queueOf(options), content, { headers: sent });
        await expect(heard).resolves.toMatchObject({ data: 'x' });
      }
      await traces.until((all) => all.length === 2 * headers.length);
      expect(traces.spans.filter(({ status }) => status.code !== 0)).toEqual([]);
      channel.sendToQueue(queueOf(options), Buffer.from('no packet'));
      await traces.until((all) => all.length === 2 * headers.length + 1);
      expect(traces.named('process').status.code).toBe(2);
    });
  });
});

/** RabbitMQ refuses a frame that is larger than 128 kB. */
function shortened(value: unknown): unknown {
  return typeof value === 'string' ? value.slice(0, 50_000) : value;
}
