import { afterAll, beforeAll } from '@jest/globals';
import { Transport } from '@nestjs/microservices';
import { describeTransport } from '../support/messaging-suite.js';
import { startMqttBroker, type MqttBroker } from '../support/mqtt-broker.js';

let broker: MqttBroker;

beforeAll(async () => {
  broker = await startMqttBroker();
});

afterAll(() => broker.stop());

describeTransport('MQTT', {
  system: 'mqtt',
  options: () => ({ transport: Transport.MQTT, options: { url: `mqtt://127.0.0.1:${broker.port}` } }),
});
