/** Messages over a real NATS. */
import { afterAll, beforeAll } from '@jest/globals';
import { Transport } from '@nestjs/microservices';
import { describeTransport } from '../support/messaging-suite.js';
import { startNats, type Broker } from './support/brokers.js';

let broker: Broker;

beforeAll(async () => {
  broker = await startNats();
});

afterAll(() => broker.stop());

const options = () => ({ servers: [`nats://127.0.0.1:${broker.port}`] });

describeTransport('NATS', {
  system: 'nats',
  options: () => ({ transport: Transport.NATS, options: options() }),
});
