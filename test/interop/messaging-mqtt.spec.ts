/** Messages over a real Mosquitto, with the versions 3.1.1 and 5 of MQTT. */
import { afterAll, beforeAll } from '@jest/globals';
import { Transport } from '@nestjs/microservices';
import { describeTransport } from '../support/messaging-suite.js';
import { startMosquitto, type Broker } from './support/brokers.js';

let broker: Broker;

beforeAll(async () => {
  broker = await startMosquitto();
});

afterAll(() => broker.stop());

const options = (protocolVersion: number) => ({
  transport: Transport.MQTT,
  options: { url: `mqtt://127.0.0.1:${broker.port}`, protocolVersion },
});

describeTransport('MQTT 3.1.1', { system: 'mqtt', options: () => options(4) });
describeTransport('MQTT 5', { system: 'mqtt', options: () => options(5) });
