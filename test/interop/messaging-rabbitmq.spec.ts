/** Messages over a real RabbitMQ. */
import { afterAll, beforeAll } from '@jest/globals';
import { Transport } from '@nestjs/microservices';
import { describeTransport } from '../support/messaging-suite.js';
import { startRabbitmq, type Broker } from './support/brokers.js';

let broker: Broker;

beforeAll(async () => {
  broker = await startRabbitmq();
}, 120_000);

afterAll(() => broker.stop());

const options = () => ({ urls: [`amqp://127.0.0.1:${broker.port}`], queueOptions: { durable: false } });

describeTransport('RabbitMQ', {
  system: 'rabbitmq',
  destination: () => 'stock',
  options: () => ({ transport: Transport.RMQ, options: { ...options(), queue: 'stock' } }),
});
