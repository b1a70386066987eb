/** Messages over a real Mosquitto, with the versions 3.1.1 and 5 of MQTT. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MqttRecordBuilder, Transport, type MqttContext } from '@nestjs/microservices';
import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt';
import { firstValueFrom } from 'rxjs';
import {
  answererOf,
  listenerTo,
  untilReceived,
  withMessagingApp,
  type Heard,
  type TransportOptions,
} from '../support/messaging-app.js';
import {
  emitByBoth,
  HOSTILE_METADATA,
  withoutTraceContext,
  type Expected,
  type Headers,
} from '../support/messaging-neutrality.js';
import { describeTransport } from '../support/messaging-suite.js';
import { startMosquitto, type Broker } from './support/brokers.js';

let broker: Broker;
let plain: MqttClient;

const url = () => `mqtt://127.0.0.1:${broker.port}`;
const mqtt = (protocolVersion: number, options: object = {}): TransportOptions => ({
  transport: Transport.MQTT,
  options: { url: url(), protocolVersion, ...options },
});

beforeAll(async () => {
  broker = await startMosquitto();
  plain = await connectAsync(url(), { protocolVersion: 5 });
});

afterAll(async () => {
  await plain.endAsync();
  await broker.stop();
});

describeTransport('MQTT 3.1.1', { system: 'mqtt', options: () => mqtt(4) });
describeTransport('MQTT 5', { system: 'mqtt', options: () => mqtt(5) });

interface Message {
  readonly payload: string;
  readonly packet: IPublishPacket;
}

/** Subscribes to the next message of a topic. */
async function expectMessage(topic: string): Promise<Expected<Message>> {
  const message = new Promise<Message>((resolve) => {
    plain.once('message', (_topic, payload, packet) => resolve({ payload: payload.toString(), packet }));
  });
  await plain.subscribeAsync(topic, { qos: 1 });
  return { message: message.finally(() => plain.unsubscribeAsync(topic)) };
}

const propertiesOf = ({ packet }: Message) => packet.properties?.userProperties as Headers | undefined;

describe.each([4, 5])('MQTT, protocol version %i', (version) => {
  it.each([
    ['orders/+', 'orders/+'],
    ['orders/#', 'orders/#'],
    ['$share/workers/orders/+', 'orders/+'],
  ])('names a message after the pattern %s, and has its topic', async (pattern, name) => {
    await withMessagingApp(mqtt(version), { controllers: [listenerTo(pattern)] }, async ({ client, traces }) => {
      const heard = untilReceived('heard');
      client.emit('orders/placed', { id: 7 });
      await expect(heard).resolves.toMatchObject({ data: { id: 7 } });
      await traces.until((all) => all.length === 3);
      const processed = traces.named(`process ${name}`);
      expect(processed.links.map((link) => link.context.spanId)).toEqual([
        traces.named('send orders/placed').spanContext().spanId,
      ]);
      expect(processed.attributes).toMatchObject({
        'messaging.destination.name': 'orders/placed',
        'messaging.destination.template': name,
      });
    });
  });

  it('follows a request to a topic with a wildcard', async () => {
    await withMessagingApp(mqtt(version), { controllers: [answererOf('prices/+')] }, async ({ client, traces }) => {
      await expect(firstValueFrom(client.send('prices/tea', 1))).resolves.toBe('1');
      await traces.until((all) => all.length === 3);
      expect(traces.named('prices/+').parentSpanContext?.spanId).toBe(traces.named('prices/tea').spanContext().spanId);
    });
  });

  const SENT: [string, object, () => unknown][] = [
    ['a payload', {}, () => ({ id: 7 })],
    ['static properties', { userProperties: { tenant: 'acme' } }, () => 'text'],
    ['a record', {}, () => new MqttRecordBuilder([1]).setQoS(1).build()],
    [
      'a record with properties',
      { userProperties: { tenant: 'acme' } },
      () =>
        new MqttRecordBuilder([1])
          .setProperties(Object.freeze({ userProperties: Object.freeze({ a: 'b', list: ['1', '2'] }) }))
          .setQoS(1)
          .build(),
    ],
  ];

  it.each(SENT)('sends the same as without tracing: %s', async (_name, more, data) => {
    const options = mqtt(version, more);
    await withMessagingApp(options, { controllers: [] }, async (messaging) => {
      const { bare, traced } = await emitByBoth(messaging, options, () => expectMessage('plain'), 'plain', data);
      const { metadata, ...packet } = JSON.parse(traced.payload) as { metadata?: object };
      expect(JSON.stringify(packet)).toBe(bare.payload);
      expect(traced.packet).toMatchObject({ qos: bare.packet.qos, retain: bare.packet.retain });
      expect(withoutTraceContext(propertiesOf(traced))).toEqual(withoutTraceContext(propertiesOf(bare)));
      const carrier = version === 5 ? propertiesOf(traced) : metadata;
      expect(carrier).toMatchObject({ traceparent: expect.stringMatching(/^00-/) });
      if (version === 5) expect(metadata).toBeUndefined();
    });
  });

  it('handles what a plain producer sends as without tracing, whatever its metadata is', async () => {
    await withMessagingApp(mqtt(version), { controllers: [listenerTo('plain')] }, async ({ traces }) => {
      const raw: [string, unknown][] = [
        ['text', 'text'],
        ['7', 7],
        ['[1]', [1]],
        ['{"a":1}', { a: 1 }],
        ...HOSTILE_METADATA.map((metadata): [string, unknown] => [
          JSON.stringify({ pattern: 'plain', data: 'x', metadata }),
          'x',
        ]),
      ];
      for (const [payload, data] of raw) {
        const heard = untilReceived('heard');
        const properties = { userProperties: { traceparent: ['00-x', 'again'], Traceparent: '' } };
        await plain.publishAsync('plain', payload, { properties });
        await expect(heard).resolves.toMatchObject({ data });
      }
      await traces.until((all) => all.length === 2 * raw.length);
      expect(traces.spans.filter(({ status }) => status.code !== 0)).toEqual([]);
    });
  });
});

describe('MQTT 5', () => {
  it('gives handlers the properties of the application', async () => {
    const options = mqtt(5, { userProperties: { tenant: 'acme' } });
    const record = new MqttRecordBuilder('x').setProperties({ userProperties: { a: 'b' } }).build();
    await withMessagingApp(options, { controllers: [listenerTo('plain')] }, async ({ client }) => {
      const heard = untilReceived('heard') as Promise<Heard<MqttContext>>;
      client.emit('plain', record);
      const { rpcContext } = await heard;
      const { userProperties } = (rpcContext.getPacket() as IPublishPacket).properties ?? {};
      expect(withoutTraceContext(userProperties)).toEqual({ tenant: 'acme', a: 'b' });
    });
  });
});
