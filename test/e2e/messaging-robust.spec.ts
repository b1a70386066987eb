/** What could change the outcome of a message, or leave its span open. */
import { describe, expect, it } from '@jest/globals';
import { ClientProxyFactory, Transport, type ClientProxy, type ClientOptions } from '@nestjs/microservices';
import { once } from 'node:events';
import { connect } from 'node:net';
import { catchError, firstValueFrom, lastValueFrom, of } from 'rxjs';
import { freePort } from '../support/free-port.js';
import {
  answererOf,
  listenerTo,
  startMessagingApp,
  untilReceived,
  withMessagingApp,
  type TransportOptions,
} from '../support/messaging-app.js';
import { HOSTILE_METADATA } from '../support/messaging-neutrality.js';

const tcp = (port: number, options: object = {}): TransportOptions => ({
  transport: Transport.TCP,
  options: { host: '127.0.0.1', port, ...options },
});

/** Sends packets as they are, and waits until each is handled. */
async function sendRaw(port: number, packets: readonly string[], handled: () => Promise<unknown>): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (const packet of packets) {
    const next = handled();
    socket.write(`${packet.length}#${packet}`);
    await next;
  }
  socket.destroy();
}

describe('a message from outside', () => {
  it('is handled whatever its metadata is', async () => {
    const port = await freePort();
    await withMessagingApp(tcp(port), { controllers: [listenerTo('plain')] }, async ({ traces }) => {
      const packets = HOSTILE_METADATA.map((metadata) => JSON.stringify({ pattern: 'plain', data: 'x', metadata }));
      await sendRaw(port, packets, async () => expect(await untilReceived('heard')).toMatchObject({ data: 'x' }));
      await traces.until((all) => all.length === 2 * packets.length);
      expect(traces.spans.filter(({ status }) => status.code !== 0)).toEqual([]);
      expect('polluted' in {}).toBe(false);
    });
  });

  it('is shown with the error of the deserializer', async () => {
    const port = await freePort();
    const deserializer = {
      deserialize(value: unknown): unknown {
        if (value === 'broken') throw new RangeError('no packet');
        return value;
      },
    };
    const transport = tcp(port, { deserializer });
    await withMessagingApp(transport, { controllers: [], clientOptions: tcp(port) }, async ({ traces }) => {
      await sendRaw(port, ['"broken"'], () => traces.until((all) => all.length === 1));
      expect(traces.spans[0]).toMatchObject({
        name: 'process',
        status: { code: 2, message: 'no packet' },
        attributes: { 'error.type': 'RangeError' },
      });
    });
  });
});

class Envelope {
  readonly #packet: object;

  constructor(packet: object) {
    this.#packet = packet;
  }

  toJSON(): object {
    return this.#packet;
  }
}

describe('a serializer of the application', () => {
  it.each([
    ['returns an object of a class', (packet: object) => new Envelope(packet)],
    ['returns a frozen object', (packet: object) => Object.freeze({ ...packet })],
    [
      'writes only the fields that it knows',
      ({ pattern, data, id }: Record<string, unknown>) => ({ pattern, data, id }),
    ],
  ])('works if it %s', async (_name, serialize) => {
    const port = await freePort();
    const clientOptions = tcp(port, { serializer: { serialize } });
    await withMessagingApp(
      tcp(port),
      { controllers: [answererOf('ask')], clientOptions },
      async ({ client, traces }) => {
        await expect(firstValueFrom(client.send('ask', { a: 1 }))).resolves.toBe('{"a":1}');
        await traces.until((all) => all.length === 3);
      },
    );
  });

  it('sees what it sees without tracing, and serves one client when the application of another has closed', async () => {
    const [port, other] = [await freePort(), await freePort()];
    const packets: object[] = [];
    const serializer = {
      serialize(packet: object): object {
        packets.push({ ...packet });
        return { ...packet };
      },
    };
    const arrived: object[] = [];
    const deserializer = {
      deserialize(packet: object): object {
        arrived.push(packet);
        return packet;
      },
    };
    const options = { controllers: [answererOf('ask')] };
    const first = await startMessagingApp(tcp(port), { ...options, clientOptions: tcp(port, { serializer }) });
    const second = await startMessagingApp(tcp(other, { deserializer }), {
      ...options,
      clientOptions: tcp(other, { serializer }),
    });
    await first.close();
    await expect(firstValueFrom(second.client.send('ask', 1))).resolves.toBe('1');
    await second.close();
    expect(packets).toEqual([{ pattern: 'ask', data: 1, id: expect.any(String) }]);
    expect(arrived).toEqual([{ ...packets[0], metadata: { traceparent: expect.any(String) } }]);
    expect(Object.getOwnPropertyNames(serializer)).toEqual(['serialize']);
  });
});

describe('a client that cannot connect', () => {
  it('has failed spans for what it should have sent, and the same errors as without tracing', async () => {
    const [port, closed] = [await freePort(), await freePort()];
    const bare = ClientProxyFactory.create(tcp(closed) as ClientOptions);
    const errorOf = (client: ClientProxy, kind: 'send' | 'emit') =>
      lastValueFrom(client[kind]('ask', 1).pipe(catchError((error: unknown) => of(error))));
    const prepareClient = (client: object) => Object.assign(client, { connect: async () => {} });
    await withMessagingApp(
      tcp(port),
      { controllers: [], clientOptions: tcp(closed), prepareClient },
      async ({ client, traces }) => {
        Reflect.deleteProperty(client, 'connect');
        for (const kind of ['send', 'emit'] as const) {
          const [bareError, error] = [await errorOf(bare, kind), await errorOf(client, kind)];
          expect(error).toMatchObject({ code: (bareError as { code: string }).code });
          await traces.until((all) => all.length === 1);
          expect(traces.take()[0]).toMatchObject({
            name: kind === 'send' ? 'ask' : 'send ask',
            status: { code: 2 },
            attributes: { 'error.type': 'Error' },
          });
        }
      },
    );
  });
});
