/** Messages have one span on each side beside OpenTelemetry's instrumentations of the drivers, and the right parent. */
import { afterAll, expect, it } from '@jest/globals';
import { Transport } from '@nestjs/microservices';
import { Kafka, logLevel } from 'kafkajs';
import { Apps } from '../support/apps.js';
import { startKafka, startRabbitmq } from './support/brokers.js';

const apps = new Apps('test/interop/apps');

afterAll(() => apps.remove());

/** The spans of an application: `maker: name < parent ~ linked`. */
async function spansOf(app: string, ...args: unknown[]): Promise<string[]> {
  const { stdout, stderr } = await apps.run(app, { args: args.map((each) => JSON.stringify(each)) });
  expect(stderr).toBe('');
  return stdout.split('\n');
}

const PROCESSED = 'nestjs-tracing: process stock.changed ~ send stock.changed';

const MESSAGES = [
  'app: request',
  'nestjs-tracing: StockController.changed < process stock.changed',
  'nestjs-tracing: StockController.reserve < stock.reserve',
  PROCESSED,
  'nestjs-tracing: send stock.changed < request',
  'nestjs-tracing: stock.reserve < request',
  'nestjs-tracing: stock.reserve < stock.reserve',
];

it.each([
  ['without acknowledgements', { noAck: true }],
  ['with acknowledgements', { noAck: false }],
])('over RabbitMQ %s', async (_name, more) => {
  const broker = await startRabbitmq();
  const urls = [`amqp://127.0.0.1:${broker.port}`];
  const options = { urls, queue: 'stock', queueOptions: { durable: false }, ...more };
  // A client may not acknowledge its answers.
  const spans = await spansOf('messaging-neighbours', { transport: Transport.RMQ, options }, { noAck: true });
  await broker.stop();
  expect(spans).toEqual(MESSAGES);
});

it('over RabbitMQ, also if an answer waits for a new connection, and events for the socket', async () => {
  const broker = await startRabbitmq();
  const spans = await spansOf('messaging-waiting', `amqp://127.0.0.1:${broker.port}`);
  await broker.stop();
  expect([...new Set(spans)]).toEqual(MESSAGES);
  expect(spans.filter((span) => span === PROCESSED)).toHaveLength(100);
});

it('over Kafka', async () => {
  const broker = await startKafka();
  const brokers = [`127.0.0.1:${broker.port}`];
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const topics = ['stock.reserve', 'stock.reserve.reply', 'stock.changed'];
  await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: true });
  await admin.disconnect();
  const options = {
    client: { brokers, logLevel: logLevel.NOTHING },
    consumer: { groupId: 'stock', maxWaitTimeInMs: 50 },
    subscribe: { fromBeginning: true },
  };
  const spans = await spansOf('messaging-neighbours', { transport: Transport.KAFKA, options });
  await broker.stop();
  expect(spans).toEqual(MESSAGES);
});
