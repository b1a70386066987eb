import { createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, describe, expect, it } from '@jest/globals';
import type { TracingOptions } from 'nestjs-tracing';
import { Apps, type Ended } from '../support/apps.js';
import { OtlpReceiver } from '../support/otlp-receiver.js';

const apps = new Apps();
afterAll(() => apps.remove());

/** The visible end of a process, except for the column and the place where a text was thrown. */
function seen({ code, signal, stdout, stderr }: Ended): object {
  const lines = stderr.split('\n').filter((line) => !/^ *\^$/.test(line));
  const bare = lines.findIndex((line) => line === 'text');
  return { code, signal, stdout, stderr: lines.slice(Math.max(bare, 0)) };
}

describe('a process with shutdown.onProcessExit', () => {
  const EXPORTED = ['work'];
  const CLOSED = ['work', 'clean up'];

  it.each<[string, string[], NodeJS.Signals | undefined]>([
    ['by itself', EXPORTED, undefined],
    ['by itself with an exit code', EXPORTED, undefined],
    ['process.exit()', [], undefined],
    ['a signal', EXPORTED, 'SIGTERM'],
    ['a signal', EXPORTED, 'SIGINT'],
    ["a signal with Nest's hooks", CLOSED, 'SIGTERM'],
    ['a signal with a handler that closes and exits', CLOSED, 'SIGTERM'],
    ['a signal with a handler that ends by itself', EXPORTED, 'SIGTERM'],
    ['a signal with a listener that yields to others', EXPORTED, 'SIGTERM'],
    ['an exception', EXPORTED, undefined],
    ['an exception, then another', EXPORTED, undefined],
    ['an exception that is no error', EXPORTED, undefined],
    ['an exception with a handler', [], undefined],
    ['a rejection', EXPORTED, undefined],
    ['a rejection that is no error', EXPORTED, undefined],
    ['a rejection with a handler', EXPORTED, undefined],
    ['a failing top-level await', EXPORTED, undefined],
  ])('ends as it would without tracing: %s', async (ending, exported, signal) => {
    const receiver = await OtlpReceiver.start();
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
    const end = async (...args: string[]) => {
      const app = apps.start('exit', { args: [ending, ...args], env });
      if (signal) {
        await app.said('ready');
        app.signal(signal);
      }
      return app.ended;
    };
    const [untraced, traced] = await Promise.all([end(), end('5000')]);
    await receiver.stop();
    expect(seen(traced)).toEqual(seen(untraced));
    expect(receiver.spans.map(({ name }) => name)).toEqual(exported);
  });

  // Without tracing, the process would have ended before the call. With tracing, the call must not hide the error.
  it('fails with its exception even where the application exits as if nothing had happened', async () => {
    const ended = await apps.run('exit', { args: ['an exception, then process.exit(0)', '5000'] });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain('TypeError: it broke\n    at ');
  });

  it.each(['by itself', 'an exception', 'a signal'])(
    'ends within its limit with a backend that is silent: %s',
    async (ending) => {
      const silent = await Silent.start();
      const app = apps.start('exit', { args: [ending, '400'], env: { OTEL_EXPORTER_OTLP_ENDPOINT: silent.url } });
      await app.said('ready');
      const from = performance.now();
      if (ending === 'a signal') app.signal('SIGTERM');
      const ended = await app.ended;
      silent.stop();
      expect(ended.at - from).toBeLessThan(1400);
      expect(ended.stdout).toContain('not done within 400 ms before the process ends');
    },
  );

  it('ends at once with a backend that refuses', async () => {
    const env = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const app = apps.start('exit', { args: ['by itself', '5000'], env });
    await app.said('ready');
    const from = performance.now();
    expect((await app.ended).at - from).toBeLessThan(1000);
  });
});

/** A backend that accepts connections and never answers. */
class Silent {
  private constructor(
    readonly url: string,
    readonly stop: () => void,
  ) {}

  static async start(): Promise<Silent> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => sockets.add(socket.on('error', () => {}).resume()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Silent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }
}

describe('a process whose application is closed', () => {
  const timeout = 300;
  const otlp = (protocol: 'http/protobuf' | 'grpc') => (url: string) => ({
    type: 'otlp' as const,
    protocol,
    endpoint: url,
  });
  const jaegerAgent = (url: string) => ({
    type: 'jaeger' as const,
    host: '127.0.0.1',
    port: Number(new URL(url).port),
  });
  const jaegerCollector = (url: string) => ({ type: 'jaeger' as const, endpoint: `${url}/api/traces` });

  it.each<[string, (url: string) => TracingOptions['exporter']]>([
    ['OTLP over HTTP', otlp('http/protobuf')],
    ['OTLP over gRPC', otlp('grpc')],
    ['Jaeger over HTTP', jaegerCollector],
    ['Jaeger over UDP', jaegerAgent],
  ])('ends soon, whatever the backend does: %s', async (_, exporter) => {
    const silent = await Silent.start();
    const close = async (url: string) => {
      const options: TracingOptions = { exporter: exporter(url), shutdown: { timeout } };
      const { code, stdout, stderr } = await apps.run('close', { args: [JSON.stringify(options)] });
      const [, closing, living] = /closed in (\d+) ms[^]*lived for (\d+) ms/.exec(stdout) ?? [];
      return { code, stderr, closing: Number(closing), living: Number(living) };
    };
    const ended = await Promise.all([close(silent.url), close('http://127.0.0.1:9')]);
    silent.stop();
    for (const { code, stderr, closing, living } of ended) {
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(closing).toBeLessThan(timeout + 500);
      expect(living).toBeLessThan(500);
    }
  });
});

describe('what is loaded and hooked up', () => {
  const nothing = { registered: [], sdk: false };
  const untouched = {
    ...nothing,
    answer: 'hello, untraced',
    interceptors: 0,
    requestHook: 'undefined',
    requestListeners: 1,
  };

  it.each<[string, object, Record<string, string>?]>([
    ['only imported', nothing],
    ['disabled by an option', untouched],
    ['disabled late', untouched],
    ['disabled by a variable', untouched, { OTEL_SDK_DISABLED: 'true' }],
    ['disabled by a variable, late', untouched, { OTEL_SDK_DISABLED: 'TRUE' }],
  ])('is nothing when tracing is %s', async (mode, expected, env = {}) => {
    const { stdout, stderr } = await apps.run('loads', { args: [mode], env });
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toEqual(expected);
  });

  it('is seen by these tests when it is there', async () => {
    const { stdout } = await apps.run('loads', { args: ['enabled'] });
    expect(JSON.parse(stdout)).toEqual({
      answer: 'hello, traced',
      interceptors: 0,
      requestHook: 'function',
      requestListeners: 1,
      registered: expect.arrayContaining(['trace', 'context', 'propagation']),
      sdk: true,
    });
  });
});

it('does not start with a wrong configuration, and says what to mend', async () => {
  const { code, stdout, stderr } = await apps.run('misconfigured');
  expect(code).toBe(1);
  expect(stdout).not.toContain('listening');
  expect(stderr).toContain('Tracing option "sampler.ratio" is 50. Use a number from 0 to 1');
});
