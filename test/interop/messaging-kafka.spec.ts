/** Messages over a real Kafka. */
import { afterAll, beforeAll } from '@jest/globals';
import { Transport, type ClientKafka } from '@nestjs/microservices';
import { Kafka, logLevel } from 'kafkajs';
import { describeTransport } from '../support/messaging-suite.js';
import { startKafka, type Broker } from './support/brokers.js';

const REQUESTS = [
  'stock.reserve',
  'stock.sum',
  'stock.each',
  'stock.nothing',
  'stock.never',
  'stock.breaks',
  'stock.refuses',
  'stock.failsAfterOne',
  'stock.guarded',
  'stock.filtered',
  'scoped.ask',
];
const EVENTS = ['stock.changed', 'stock.lost', 'stock.counted', 'scoped.told', 'plain', 'orders.placed'];

let broker: Broker;

beforeAll(async () => {
  broker = await startKafka();
  const admin = new Kafka(connection()).admin();
  await admin.connect();
  const topics = [...REQUESTS, ...REQUESTS.map((pattern) => `${pattern}.reply`), ...EVENTS];
  await admin.createTopics({ topics: topics.map((topic) => ({ topic })), waitForLeaders: true });
  await admin.disconnect();
}, 120_000);

afterAll(() => broker.stop());

const connection = () => ({ brokers: [`127.0.0.1:${broker.port}`], logLevel: logLevel.NOTHING });

describeTransport('Kafka', {
  system: 'kafka',
  options: () => ({
    transport: Transport.KAFKA,
    options: {
      client: connection(),
      consumer: { groupId: 'stock' },
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
