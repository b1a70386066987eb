/** Messages over a real Kafka. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Transport, type ClientKafka, type ClientProxy } from '@nestjs/microservices';
import { Kafka, logLevel, type IHeaders, type KafkaMessage } from 'kafkajs';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { catchError, firstValueFrom, lastValueFrom, of, timeout } from 'rxjs';
import {
  answererOf,
  listenerTo,
  untilReceived,
  withMessagingApp,
  type Heard,
  type TransportOptions,
} from '../support/messaging-app.js';
import { emitByBoth, withoutTraceContext } from '../support/messaging-neutrality.js';
import { describeTransport } from '../support/messaging-suite.js';
import { waitFor } from '../support/wait-for.js';
import { startKafka, type Broker } from './support/brokers.js';

const REQUESTS = [
  'stock.reserve',
  'stock.sum',
  'stock.each',
  'stock.nothing',
  'stock.trusts',
  'stock.doubts',
  'stock.never',
  'stock.breaks',
  'stock.refuses',
  'stock.failsAfterOne',
  'stock.guarded',
  'stock.filtered',
  'scoped.ask',
];
const EVENTS = ['stock.changed', 'stock.lost', 'stock.counted', 'scoped.told'];

/** A consumer ends only when the broker has answered its last request. */
const SOON = { maxWaitTimeInMs: 50 };

/** How the answerer of the tests returns the number 1. */
const ANSWER = '"1"';

let broker: Broker;
let count = 0;

beforeAll(async () => {
  broker = await startKafka();
  await createTopics([...REQUESTS, ...REQUESTS.map((pattern) => `${pattern}.reply`), ...EVENTS]);
}, 120_000);

afterAll(() => broker.stop());

const connection = () => ({ brokers: [`127.0.0.1:${broker.port}`], logLevel: logLevel.NOTHING });

describeTransport('Kafka', {
  system: 'kafka',
  options: () => ({
    transport: Transport.KAFKA,
    options: {
      client: connection(),
      consumer: { ...SOON, groupId: 'stock' },
      // A consumer may join its group after the first message has been sent.
      subscribe: { fromBeginning: true },
    },
  }),
  hasObjectPatterns: false,
  emptyAnswer: [null],
  redelivers: true,
  waitsForHandlers: true,
  prepareClient(client) {
    for (const pattern of REQUESTS) (client as unknown as ClientKafka).subscribeToResponseOf(pattern);
  },
});

const kafka = (options: object = {}): TransportOptions => ({
  transport: Transport.KAFKA,
  options: {
    client: connection(),
    consumer: { ...SOON, groupId: `group${++count}` },
    subscribe: { fromBeginning: true },
    ...options,
  },
});

class OrderPlaced {
  readonly #text: string;
  readonly key = 'k';
  headers: Record<string, string> = { own: '1' };
  constructor(text: string) {
    this.#text = text;
  }
  get value(): string {
    return this.#text;
  }
  set value(_text: string) {
    // Nest writes the encoded value.
  }
}

describe('Kafka', () => {
  it.each([
    ['a payload', () => ({ id: 7 })],
    ['text', () => 'text'],
    ['bytes', () => ({ key: 'k', value: Buffer.from([0, 1, 255]) })],
    ['a message', () => ({ key: { a: 1 }, value: { id: 7 }, headers: { a: 'b', bytes: Buffer.from([255]) } })],
    ['a tombstone', () => ({ key: 'k', value: null })],
    ['a message of a class', () => new OrderPlaced('text')],
  ])('sends the same as without tracing: %s', async (_name, data) => {
    const topic = await newTopic();
    const messages = await consume(topic);
    await withMessagingApp(kafka(), { controllers: [] }, async (messaging) => {
      const { bare, traced } = await emitByBoth(
        messaging,
        kafka(),
        async () => ({ message: messages.next() }),
        topic,
        data,
      );
      expect(traced.value).toEqual(bare.value);
      expect(traced.key).toEqual(bare.key);
      expect(String(traced.headers?.['traceparent'])).toMatch(/^00-/);
      expect(withoutTraceContext(traced.headers)).toEqual(withoutTraceContext(bare.headers));
    });
    await messages.stop();
  });

  it('leaves the objects of the application alone', async () => {
    const topic = await newTopic();
    const headers = Object.freeze({ a: 'b' });
    const message = { key: 'k', value: 'v', headers };
    await withMessagingApp(kafka(), { controllers: [] }, async ({ client }) => {
      await lastValueFrom(client.emit(topic, message));
    });
    expect(message).toEqual({ key: 'k', value: 'v', headers: { a: 'b' } });
    expect(message.headers).toBe(headers);
  });

  it('links each message of a batch to the span of the batch', async () => {
    const topic = await newTopic();
    await withMessagingApp(kafka(), { controllers: [listenerTo(topic)] }, async ({ client, traces }) => {
      const heard = [untilReceived('heard'), untilReceived('heard')];
      const batch = { messages: [{ value: 'one', headers: { a: 'b' } }, { value: 'two' }] };
      (client as unknown as ClientKafka).emitBatch(topic, batch);
      await Promise.all(heard);
      await traces.until((all) => all.length === 5);
      const sent = traces.named(`send ${topic}`);
      expect(sent.attributes).toMatchObject({ 'messaging.batch.message_count': 2 });
      const links = traces.spans.filter(({ kind }) => kind === 4).map((span) => span.links[0]?.context.spanId);
      expect(links).toEqual([sent.spanContext().spanId, sent.spanContext().spanId]);
      expect(batch.messages[0]?.headers).toEqual({ a: 'b' });
    });
  });

  it('names a message after a regular expression, and has its topic, partition and offset', async () => {
    const topic = await newTopic('orders.placed');
    const pattern = /^orders\..+$/;
    await withMessagingApp(kafka(), { controllers: [listenerTo(pattern)] }, async ({ client, traces }) => {
      const heard = untilReceived('heard');
      client.emit(topic, { id: 7 });
      await expect(heard).resolves.toMatchObject({ data: { id: 7 } });
      await traces.until((all) => all.length === 3);
      expect(traces.named(`process ${String(pattern)}`).attributes).toMatchObject({
        'messaging.destination.name': topic,
        'messaging.destination.partition.id': '0',
        'messaging.kafka.offset': 0,
        'messaging.consumer.group.name': `group${count}-server`,
      });
    });
  });

  it('handles what a plain producer sends as without tracing, whatever its headers are', async () => {
    const topic = await newTopic();
    const producer = new Kafka(connection()).producer();
    await producer.connect();
    const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers: IHeaders[] = [
      {},
      { traceparent: Buffer.from([0xff, 0xfe, 0x00, 0xc3]) },
      { traceparent: 'x'.repeat(500_000) },
      { traceparent: [parent, parent] },
      { traceparent: parent, tracestate: Buffer.from([0xc3, 0x28]), baggage: '='.repeat(100_000) },
      { Traceparent: '', __proto__: 'x', kafka_correlationId: 'x' },
    ];
    await withMessagingApp(kafka(), { controllers: [listenerTo(topic)] }, async ({ traces }) => {
      for (const each of headers) {
        const heard = untilReceived('heard');
        await producer.send({ topic, messages: [{ value: 'x', headers: each }] });
        await expect(heard).resolves.toMatchObject({ data: 'x' });
      }
      await traces.until((all) => all.length === 2 * headers.length);
      expect(traces.spans.filter(({ status }) => status.code !== 0)).toEqual([]);
    });
    await producer.disconnect();
  });

  it('handles a tombstone and a message without headers as without tracing', async () => {
    const topic = await newTopic();
    const producer = new Kafka(connection()).producer();
    await producer.connect();
    const heardOf = async (tracing: object) => {
      const data: unknown[] = [];
      await withMessagingApp(kafka(), { controllers: [listenerTo(topic)], tracing }, async ({ traces }) => {
        for (const message of [{ key: 'k', value: null }, { value: 'x' }, { value: Buffer.alloc(0) }]) {
          const heard = untilReceived('heard');
          await producer.send({ topic, messages: [message] });
          const { data: each } = (await heard) as Heard;
          data.push(each);
        }
        if (!('messaging' in tracing)) await traces.until((all) => all.length === 6);
        expect(traces.spans.filter(({ status }) => status.code !== 0)).toEqual([]);
      });
      return data;
    };
    const traced = await heardOf({});
    // The second application reads the messages for the first one first.
    const bare = (await heardOf({ messaging: false })).slice(0, 3);
    // Nest hands on the whole message, since it has no value.
    const tombstone = { key: 'k', value: null, headers: {} };
    expect([traced[0], bare[0]]).toEqual([expect.objectContaining(tombstone), expect.objectContaining(tombstone)]);
    expect(Object.keys(traced[0] as object)).toEqual(Object.keys(bare[0] as object));
    expect(traced.slice(1)).toEqual(bare.slice(1));
    await producer.disconnect();
  });

  it('that goes away and comes back ends every span of a request, and traces those that follow', async () => {
    const options = kafka({
      client: { ...connection(), retry: { initialRetryTime: 50, maxRetryTime: 500, retries: 1000 } },
    });
    const prepareClient = (client: ClientProxy) =>
      (client as unknown as ClientKafka).subscribeToResponseOf('restarts.ask');
    await createTopics(['restarts.ask', 'restarts.ask.reply']);
    const answerer = { controllers: [answererOf('restarts.ask')], prepareClient };
    await withMessagingApp(options, answerer, async ({ client, traces }) => {
      const ask = (limit: number) =>
        firstValueFrom(
          client.send<unknown>('restarts.ask', 1).pipe(
            timeout(limit),
            catchError((error: unknown) => of(error instanceof Error ? error : new Error(String(error)))),
          ),
        );
      await expect(ask(30_000)).resolves.toBe(ANSWER);
      await broker.kill();
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(500)));
      expect(outcomes.filter((outcome) => !(outcome instanceof Error))).toEqual([]);
      const isOfClient = ({ kind }: { kind: SpanKind }) => kind === SpanKind.CLIENT;
      await traces.until((all) => all.filter(isOfClient).length === 21);
      const failed = traces.spans.filter(isOfClient).filter(({ status }) => status.code === SpanStatusCode.ERROR);
      expect(failed).toHaveLength(20);

      await broker.start();
      const isAnswer = (outcome: unknown) => outcome === ANSWER;
      await waitFor({ expected: 'an answer', look: () => ask(2000), isExpected: isAnswer, patience: 60_000 });
      const isEmpty = (list: readonly unknown[]) => list.length === 0;
      await waitFor({ expected: 'no open span', look: () => traces.open, isExpected: isEmpty, patience: 10_000 });
      traces.take();
      await expect(ask(30_000)).resolves.toBe(ANSWER);
      // Requests that nobody waits for any more arrive as well, each in its own trace.
      const isOfLast = (span: ReadableSpan) =>
        span.spanContext().traceId === traces.spans.find(isOfClient)?.spanContext().traceId;
      await traces.until((all) => all.filter(isOfLast).length === 3);
    });
  }, 180_000);
});

async function newTopic(topic = `topic${++count}`): Promise<string> {
  await createTopics([topic]);
  return topic;
}

/** Consumes a topic without Nest. */
async function consume(topic: string): Promise<{ next(): Promise<KafkaMessage>; stop(): Promise<void> }> {
  const consumer = new Kafka(connection()).consumer({ ...SOON, groupId: `plain${++count}` });
  const messages: KafkaMessage[] = [];
  let wake: (() => void) | undefined;
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  await consumer.run({
    async eachMessage({ message }) {
      messages.push(message);
      wake?.();
    },
  });
  return {
    async next() {
      while (messages.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return messages.shift() as KafkaMessage;
    },
    stop: () => consumer.disconnect(),
  };
}

async function createTopics(topics: readonly string[]): Promise<void> {
  const admin = new Kafka(connection()).admin();
  await admin.connect();
  await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: true });
  await admin.disconnect();
}
