import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { get as httpGet, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import * as undici from 'undici';
import { freePort, nodePropagates } from '../support/client-app.js';
import { HttpTarget } from '../support/http-target.js';

/**
 * The channels on which the tracing of outgoing requests depends. A test fails when a release of Node or undici removes one.
 */
describe('diagnostics channels', () => {
  let target: HttpTarget;

  beforeAll(async () => {
    target = await HttpTarget.start();
  });

  afterAll(() => target.stop());

  describe.each([
    ['fetch()', (url: string) => fetch(url).then((response) => response.text())],
    ['undici', (url: string) => undici.request(url).then(({ body }) => body.text())],
  ])('of %s', (_name, send) => {
    it('tell each step of a request, by one and the same object', async () => {
      const heard = await listen(undiciChannels, () => send(`${target.url}/ok`));
      expect(heard.map(({ channel }) => channel)).toEqual([
        'undici:request:create',
        'undici:client:sendHeaders',
        'undici:request:headers',
        'undici:request:trailers',
      ]);
      expect(new Set(heard.map(({ message }) => message.request)).size).toBe(1);
      const [create, sendHeaders, headers] = heard.map(({ message }) => message);
      expect(create!.request).toMatchObject({ method: 'GET', path: '/ok', origin: target.url });
      expect(Array.isArray(create!.request.headers)).toBe(true);
      expect(sendHeaders!.socket).toMatchObject({ remoteAddress: '127.0.0.1', remotePort: target.port });
      expect(headers!.response!.statusCode).toBe(200);
      expect((headers!.response!.headers as Buffer[]).map(String)).toContain('x-answer');
    });

    it('let a header be added', async () => {
      const add = ({ request }: Message) =>
        (request.addHeader as (name: string, value: string) => void)('x-added', 'yes');
      target.received.length = 0;
      await listen({ 'undici:request:create': add }, () => send(`${target.url}/ok/added`));
      expect(target.only('/ok/added').headers['x-added']).toBe('yes');
    });

    it('tell of a failure', async () => {
      const port = await freePort();
      const heard = await listen(undiciChannels, () => send(`http://127.0.0.1:${port}/`).catch(() => {}));
      expect(heard.map(({ channel }) => channel)).toEqual(['undici:request:create', 'undici:request:error']);
      expect(heard[1]!.message.error).toMatchObject({ code: 'ECONNREFUSED' });
    });
  });

  it('of undici tell what is an upgrade, and what is a tunnel', async () => {
    const begun: unknown[] = [];
    const note = ({ request }: Message) => void begun.push([request.method, request.upgrade]);
    await listen({ 'undici:request:create': note }, async () => {
      const upgraded = await undici.upgrade(`${target.url}/upgrade`, { protocol: 'echo' });
      const tunnel = await undici.connect(`${target.url}/tunnel`);
      for (const { socket } of [upgraded, tunnel]) socket.on('error', () => {}).destroy();
    });
    expect(begun).toEqual([
      ['GET', 'echo'],
      ['CONNECT', null],
    ]);
  });

  describe('of node:http', () => {
    const created = nodePropagates ? ['http.client.request.created'] : [];

    it('tell each step of a request, by one and the same object', async () => {
      const heard = await listen(nodeChannels, async () => {
        const request = httpGet(`${target.url}/ok`, (response) => response.resume());
        await once(request, 'close');
      });
      expect(heard.map(({ channel }) => channel)).toEqual([
        ...created,
        'http.client.request.start',
        'http.client.response.finish',
      ]);
      expect(new Set(heard.map(({ message }) => message.request)).size).toBe(1);
      expect(heard.at(-1)!.message.response).toMatchObject({ statusCode: 200, httpVersion: '1.1' });
    });

    it('tell of a request while headers can be added to it, since Node 22', async () => {
      const sent: boolean[] = [];
      const note = ({ request }: Message) => void sent.push(request.headersSent as boolean);
      const channels = { 'http.client.request.created': note, 'http.client.request.start': note };
      await listen(channels, () =>
        once(
          httpGet(`${target.url}/ok`, (response) => response.resume()),
          'close',
        ),
      );
      expect(sent).toEqual(nodePropagates ? [false, true] : [true]);
    });

    it('tell of a failure, after which the request closes', async () => {
      const port = await freePort();
      const heard = await listen(
        nodeChannels,
        () =>
          new Promise((resolve) =>
            httpGet(`http://127.0.0.1:${port}/`)
              .on('error', () => {})
              .once('close', resolve),
          ),
      );
      expect(heard.map(({ channel }) => channel)).toEqual([
        ...created,
        'http.client.request.start',
        'http.client.request.error',
      ]);
      expect(heard.at(-1)!.message.error).toMatchObject({ code: 'ECONNREFUSED' });
    });

    it('have requests that hold their answer and know whether it is whole', async () => {
      const request = httpGet(`${target.url}/upgrade`, { headers: { connection: 'upgrade', upgrade: 'echo' } });
      const closed = new Promise((resolve) => request.once('close', resolve));
      const [response, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Socket];
      socket.on('error', () => {}).destroy();
      await closed;
      expect((request as ClientRequest & { res: unknown }).res).toBe(response);
      expect(response.complete).toBe(true);
    });

    it('have requests that keep headers of a list in their head only', () => {
      const headers = ['Host', 'localhost', 'X-A', '1'];
      const request = httpGet(target.url, { headers } as object).on('error', () => {});
      expect(request.getHeaderNames()).toEqual([]);
      const { _header: head } = request as ClientRequest & { _header: string };
      expect(head).toContain('\r\nX-A: 1\r\n');
      request.destroy();
    });
  });
});

interface Message {
  readonly request: Record<string, unknown>;
  readonly response?: Record<string, unknown>;
  readonly error?: unknown;
  readonly socket?: unknown;
}

interface Heard {
  readonly channel: string;
  readonly message: Message;
}

const ignore = () => {};

const undiciChannels = {
  'undici:request:create': ignore,
  'undici:client:sendHeaders': ignore,
  'undici:request:headers': ignore,
  'undici:request:trailers': ignore,
  'undici:request:error': ignore,
};

const nodeChannels = {
  'http.client.request.created': ignore,
  'http.client.request.start': ignore,
  'http.client.response.finish': ignore,
  'http.client.request.error': ignore,
};

async function listen(channels: Record<string, (message: Message) => void>, work: () => unknown): Promise<Heard[]> {
  const heard: Heard[] = [];
  const undos = Object.entries(channels).map(([channel, handler]) => {
    const subscriber = (message: unknown) => {
      heard.push({ channel, message: message as Message });
      handler(message as Message);
    };
    subscribe(channel, subscriber);
    return () => unsubscribe(channel, subscriber);
  });
  try {
    await work();
  } finally {
    for (const undo of undos) undo();
  }
  return heard;
}
