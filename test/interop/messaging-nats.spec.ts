/** Messages over a real NATS. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  connect,
  headers as createHeaders,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
} from '@nats-io/transport-node';
import { NatsRecordBuilder, Transport, type NatsContext } from '@nestjs/microservices';
import { firstValueFrom } from 'rxjs';
import {
  answererOf,
  listenerTo,
  untilReceived,
  withMessagingApp,
  type Heard,
  type TransportOptions,
} from '../support/messaging-app.js';
import { emitByBoth, HOSTILE_METADATA, withoutTraceContext, type Expected } from '../support/messaging-neutrality.js';
import { describeTransport } from '../support/messaging-suite.js';
import { startNats, type Broker } from './support/brokers.js';

let broker: Broker;
let plain: NatsConnection;

const servers = () => [`nats://127.0.0.1:${broker.port}`];
const nats = (options: object = {}): TransportOptions => ({
  transport: Transport.NATS,
  options: { servers: servers(), ...options },
});

beforeAll(async () => {
  broker = await startNats();
  plain = await connect({ servers: servers() });
});

afterAll(async () => {
  await plain.close();
  await broker.stop();
});

describeTransport('NATS', { system: 'nats', options: nats });

/** Subscribes to the next message of a subject. */
async function expectMessage(subject: string): Promise<Expected<Msg>> {
  const message = new Promise<Msg>((resolve, reject) => {
    const callback = (error: Error | null, received: Msg) => (error ? reject(error) : resolve(received));
    plain.subscribe(subject, { max: 1, callback });
  });
  await plain.flush();
  return { message };
}

const entries = (headers: MsgHdrs | undefined) => headers && Object.fromEntries([...headers]);

describe('NATS', () => {
  it.each(['orders.*', 'orders.>'])('names a message after the pattern %s, and has its subject', async (pattern) => {
    await withMessagingApp(nats({ queue: 'workers' }), { controllers: [listenerTo(pattern)] }, async (messaging) => {
      const heard = untilReceived('heard');
      messaging.client.emit('orders.placed', { id: 7 });
      await expect(heard).resolves.toMatchObject({ data: { id: 7 } });
      await messaging.traces.until((all) => all.length === 3);
      expect(messaging.traces.named(`process ${pattern}`).attributes).toMatchObject({
        'messaging.destination.name': 'orders.placed',
        'messaging.destination.template': pattern,
      });
    });
  });

  it.each([
    ['in one queue group', { queue: 'workers' }, 20],
    ['in none', {}, 40],
  ])('links every delivery to its sender, with two servers %s', async (_name, options, deliveries) => {
    const controllers = [listenerTo('grouped')];
    await withMessagingApp(nats(options), { controllers }, async ({ client, traces }) => {
      await withMessagingApp(nats(options), { controllers }, async () => {
        for (let i = 0; i < 20; i++) await firstValueFrom(client.emit('grouped', i), { defaultValue: undefined });
        const processed = () => traces.spans.filter(({ name }) => name === 'process grouped');
        await traces.until(() => processed().length === deliveries);
        await plain.flush();
        const sent = traces.spans
          .filter(({ name }) => name === 'send grouped')
          .map((span) => span.spanContext().spanId);
        const linked = processed().map((span) => span.links[0]!.context.spanId);
        expect(linked).toHaveLength(deliveries);
        expect(new Set(linked)).toEqual(new Set(sent));
        expect(sent).toHaveLength(20);
      });
    });
  });

  it('follows a request to a subject with a wildcard', async () => {
    await withMessagingApp(nats(), { controllers: [answererOf('prices.*')] }, async ({ client, traces }) => {
      await expect(firstValueFrom(client.send('prices.tea', 1))).resolves.toBe('1');
      await traces.until((all) => all.length === 3);
      expect(traces.named('prices.*').parentSpanContext?.spanId).toBe(traces.named('prices.tea').spanContext().spanId);
    });
  });

  it('keeps the headers of the application, and leaves its objects alone', async () => {
    const own = createHeaders();
    own.append('X-List', 'one');
    own.append('X-List', 'two');
    own.set('team', 'mine');
    const record = new NatsRecordBuilder({ id: 7 }).setHeaders(own).build();
    const options = nats({ headers: { team: 'everyone', tenant: 'acme' } });
    await withMessagingApp(options, { controllers: [listenerTo('plain')] }, async ({ client }) => {
      const heard = untilReceived('heard') as Promise<Heard<NatsContext>>;
      client.emit('plain', record);
      const { data, rpcContext } = await heard;
      expect(data).toEqual({ id: 7 });
      expect(withoutTraceContext(entries(rpcContext.getHeaders() as MsgHdrs))).toEqual({
        'X-List': ['one', 'two'],
        team: ['mine'],
        tenant: ['acme'],
      });
      expect(own.has('traceparent')).toBe(false);
    });
  });

  const SENT: [string, object, () => unknown][] = [
    ['a payload', {}, () => ({ id: 7 })],
    ['static headers', { headers: { tenant: 'acme' } }, () => 'text'],
    ['a record', {}, () => new NatsRecordBuilder([1]).setHeaders(createHeaders()).build()],
  ];

  it.each(SENT)('sends the same as without tracing: %s', async (_name, options, data) => {
    await withMessagingApp(nats(options), { controllers: [] }, async (messaging) => {
      const { bare, traced } = await emitByBoth(messaging, nats(options), () => expectMessage('plain'), 'plain', data);
      expect(Buffer.from(traced.data).toString()).toBe(Buffer.from(bare.data).toString());
      expect(traced.headers?.get('traceparent')).toMatch(/^00-/);
      expect(withoutTraceContext(entries(traced.headers))).toEqual(withoutTraceContext(entries(bare.headers)));
    });
  });

  it('handles what a plain producer sends as without tracing, and reports what is no JSON', async () => {
    await withMessagingApp(nats(), { controllers: [listenerTo('plain')] }, async ({ traces }) => {
      for (const text of ['7', '{"a":1}', '[1]', '"x"']) {
        const heard = untilReceived('heard');
        plain.publish('plain', text);
        await expect(heard).resolves.toMatchObject({ data: JSON.parse(text) as unknown });
      }
      plain.publish('plain', 'no JSON');
      await traces.until((all) => all.length === 9);
      const failed = traces.spans.filter(({ status }) => status.code === 2);
      expect(failed.map((span) => [span.name, span.attributes['error.type']])).toEqual([['process', 'SyntaxError']]);
    });
  });

  it('ignores what is no trace context, whatever it is', async () => {
    await withMessagingApp(nats(), { controllers: [listenerTo('plain')] }, async ({ traces }) => {
      const texts = [...HOSTILE_METADATA.map(String), '', 'x'.repeat(65_536), '\u0000'];
      for (const text of texts) {
        const headers = createHeaders();
        headers.append('traceparent', text.slice(0, 100_000).replaceAll(/[\r\n]/g, ''));
        headers.append('traceparent', 'again');
        headers.append('__proto__', 'polluted');
        const heard = untilReceived('heard');
        plain.publish('plain', '{"pattern":"plain","data":"x"}', { headers });
        await expect(heard).resolves.toMatchObject({ data: 'x' });
      }
      await traces.until((all) => all.length === 2 * texts.length);
      expect(traces.spans.filter(({ status }) => status.code !== 0)).toEqual([]);
    });
  });
});
