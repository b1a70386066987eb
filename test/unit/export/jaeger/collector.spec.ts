import { createServer as createNetServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';
import { describe, expect, it } from '@jest/globals';
import { httpReceiver, type Receiver } from '../exporters/receivers.js';
import { startedProviders } from '../exporters/started-providers.js';

const { open, start } = startedProviders();

/** A collector that answers each message. */
async function scripted(answer: (socket: Socket) => void): Promise<Receiver> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    socket.once('data', () => answer(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    received: [],
    sockets,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function startTo({ port }: Receiver) {
  const started = start({ type: 'jaeger', endpoint: `http://127.0.0.1:${port}` }, { shutdown: { timeout: 300 } });
  return { ...started, counts: () => started.statistics()[0]! };
}

const lossOf = ({ exported, failed }: { exported: number; failed: ReadonlyMap<string, number> }) => [
  exported,
  Object.fromEntries(failed),
];

describe('a span for a collector of Jaeger', () => {
  it.each([301, 302, 307, 400, 401, 404, 500])('has not arrived if the answer is %i', async (status) => {
    const receiver = await open(httpReceiver([status]));
    const { counts, provider, span } = startTo(receiver);
    span('lost');
    await provider.forceFlush();
    expect(lossOf(counts())).toEqual([0, { [status]: 1 }]);
    expect(receiver.received).toHaveLength(1);
  });

  it.each<[string, (socket: Socket) => void]>([
    ['is cut', (socket) => void socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123')],
    ['never comes', () => {}],
    ['never ends', (socket) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123')],
  ])('has not arrived if the answer %s', async (_name, answer) => {
    const { counts, provider, span } = startTo(await open(scripted(answer)));
    span('lost');
    await provider.shutdown();
    const [exported] = lossOf(counts());
    expect([exported, [...counts().failed.values()]]).toEqual([0, [1]]);
  });

  it('is sent again after 503, and in halves after 413', async () => {
    const receiver = await open(httpReceiver([503, 413, 202]));
    const { counts, provider, span } = startTo(receiver);
    for (const name of ['a', 'b']) span(name);
    await provider.forceFlush();
    expect(lossOf(counts())).toEqual([2, {}]);
    expect(receiver.received).toHaveLength(4);
  });

  it('has arrived if the answer is a success, whatever its body is', async () => {
    // As an answer of OTLP, it would reject a span.
    const body = Buffer.from([0x0a, 2, 0x08, 1]);
    const head = `HTTP/1.1 202 Accepted\r\nContent-Length: ${body.length}\r\n\r\n`;
    const answer = (socket: Socket) => void socket.end(Buffer.concat([Buffer.from(head), body]));
    const { counts, provider, span } = startTo(await open(scripted(answer)));
    span('arrived');
    await provider.forceFlush();
    expect(lossOf(counts())).toEqual([1, {}]);
  });

  it('keeps the query of the address', async () => {
    const receiver = await open(httpReceiver([202]));
    const endpoint = `http://127.0.0.1:${receiver.port}/api/traces?format=jaeger.thrift`;
    const { provider, span } = start({ type: 'jaeger', endpoint });
    span('a');
    await provider.forceFlush();
    expect(receiver.received[0]?.path).toBe('/api/traces?format=jaeger.thrift');
  });
});
