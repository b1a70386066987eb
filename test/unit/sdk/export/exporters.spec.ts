import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { TracerProvider } from '@opentelemetry/api';
import { afterEach, beforeAll, afterAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { setDiagnosticsSink } from '../../../../lib/core/diagnostics.js';
import { resolveOptions } from '../../../../lib/options/resolve-options.js';
import { createSpanProcessors } from '../../../../lib/sdk/export/exporters.js';
import { loadFromSdk } from '../../../../lib/sdk/packages.js';
import { createResource } from '../../../../lib/sdk/resource.js';
import type { ReadableSpan, SpanExporter } from '../../../../lib/options/sdk-types.js';
import type { TracingOptions } from '../../../../lib/tracing.options.js';
import { certificate } from '../../../support/certificate.js';
import { closedPort, grpcReceiver, httpReceiver, silentReceiver, udpReceiver, type Receiver } from './receivers.js';

interface Provider extends TracerProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

interface TracePackage {
  TracerProvider: new (config: object) => Provider;
  InMemorySpanExporter: new () => SpanExporter & { getFinishedSpans(): ReadableSpan[] };
}

const HEADERS = { 'X-Api-Key': 'hunter2' };

let warnings: string[];
let cleanup: (() => unknown)[];
beforeEach(() => {
  warnings = [];
  cleanup = [];
  setDiagnosticsSink({ warn: (message) => warnings.push(message) });
});
afterEach(async () => {
  for (const undo of cleanup.toReversed()) await undo();
  setDiagnosticsSink();
});

function start(exporter: TracingOptions['exporter'], options: TracingOptions = {}, env: Record<string, string> = {}) {
  const resolved = resolveOptions({ serviceName: 'orders', ...options, exporter }, env);
  const { processors, memory } = createSpanProcessors(resolved);
  const sdk = loadFromSdk<TracePackage>('@opentelemetry/sdk-trace');
  const provider = new sdk.TracerProvider({ spanProcessors: processors, resource: createResource(resolved.resource) });
  cleanup.push(() => provider.shutdown());
  const tracer = provider.getTracer('test', '1');
  const span = (name: string) => tracer.startSpan(name).end();
  return { provider, span, memory, processors };
}

async function open(receiver: Promise<Receiver>): Promise<Receiver> {
  const opened = await receiver;
  cleanup.push(() => opened.close());
  return opened;
}

async function timed(work: Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work;
  return performance.now() - started;
}

describe('otlp', () => {
  it.each([
    ['http/json', 'none', 'application/json'],
    ['http/json', 'gzip', 'application/json'],
    ['http/protobuf', 'none', 'application/x-protobuf'],
    ['http/protobuf', 'gzip', 'application/x-protobuf'],
  ] as const)('over %s with compression %s', async (protocol, compression, contentType) => {
    const receiver = await open(httpReceiver());
    const endpoint = `http://127.0.0.1:${receiver.port}/base/`;
    const { provider, span } = start({ type: 'otlp', protocol, endpoint, headers: HEADERS, compression });
    span('place order');
    await provider.shutdown();

    expect(receiver.received).toHaveLength(1);
    const [{ path, headers, body } = { path: '', headers: {}, body: Buffer.alloc(0) }] = receiver.received;
    expect(path).toBe('/base/v1/traces');
    expect(headers).toMatchObject({ 'content-type': contentType, 'x-api-key': 'hunter2' });
    expect(headers['content-encoding']).toBe(compression === 'gzip' ? 'gzip' : undefined);
    expect(body.toString('latin1')).toContain('place order');
    expect(body.toString('latin1')).toContain('orders');
    if (protocol === 'http/json') {
      const { resourceSpans } = JSON.parse(body.toString()) as {
        resourceSpans: { scopeSpans: { spans: object[] }[] }[];
      };
      expect(resourceSpans[0]?.scopeSpans[0]?.spans).toEqual([expect.objectContaining({ name: 'place order' })]);
    }
    expect(warnings).toEqual([]);
  });

  it.each(['none', 'gzip'] as const)('over gRPC with compression %s', async (compression) => {
    const receiver = await open(grpcReceiver());
    const endpoint = `http://127.0.0.1:${receiver.port}`;
    const { provider, span } = start({ type: 'otlp', protocol: 'grpc', endpoint, headers: HEADERS, compression });
    span('place order');
    await provider.shutdown();
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]?.headers).toMatchObject({ 'x-api-key': 'hunter2' });
    expect(receiver.received[0]?.body.toString('latin1')).toContain('place order');
    expect(warnings).toEqual([]);
  });

  describe('over gRPC to host:port', () => {
    const options = { shutdown: { timeout: 500 } };

    it('starts a TLS handshake, so that headers are encrypted', async () => {
      const server = createServer();
      await once(server.listen(0, 'localhost'), 'listening');
      cleanup.push(() => server.close());
      const firstBytes = once(server, 'connection').then(async ([socket]: Socket[]) => {
        const [bytes] = (await once(socket!, 'data')) as [Buffer];
        socket!.destroy();
        return bytes;
      });
      const endpoint = `localhost:${(server.address() as AddressInfo).port}`;
      const { provider, span } = start({ type: 'otlp', protocol: 'grpc', endpoint, headers: HEADERS }, options);
      span('place order');
      const flushed = provider.forceFlush().catch(() => {});
      const HANDSHAKE = 0x16;
      expect((await firstBytes)[0]).toBe(HANDSHAKE);
      await provider.shutdown();
      await flushed;
    });

    it('is not encrypted if OTEL_EXPORTER_OTLP_INSECURE is true', async () => {
      const receiver = await open(grpcReceiver());
      const exporter = { type: 'otlp', protocol: 'grpc', endpoint: `127.0.0.1:${receiver.port}` } as const;
      const { provider, span } = start(exporter, options, { OTEL_EXPORTER_OTLP_INSECURE: 'true' });
      span('place order');
      await provider.shutdown();
      expect(receiver.received).toHaveLength(1);
    });
  });

  describe('with the variables of the process set to something else', () => {
    const WRONG = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:1',
      OTEL_EXPORTER_OTLP_HEADERS: 'X-Api-Key=env,X-Env=1',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_EXPORTER_OTLP_TIMEOUT: '1',
      OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://127.0.0.1:1/api/traces',
      OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
    };
    beforeAll(() => void Object.assign(process.env, WRONG));
    afterAll(() => {
      for (const name of Object.keys(WRONG)) delete process.env[name];
    });

    it.each(['http/protobuf', 'grpc'] as const)('%s obeys the options', async (protocol) => {
      const receiver = await open(protocol === 'grpc' ? grpcReceiver() : httpReceiver());
      const endpoint = `http://127.0.0.1:${receiver.port}`;
      const { provider, span } = start({ type: 'otlp', protocol, endpoint, headers: HEADERS });
      span('one');
      span('two');
      await provider.shutdown();
      expect(receiver.received).toHaveLength(1);
      expect(receiver.received[0]?.headers).toMatchObject({ 'x-api-key': 'hunter2' });
      expect(receiver.received[0]?.headers['content-encoding']).toBeUndefined();
    });

    it('jaeger sends to the agent of the options', async () => {
      const receiver = await open(udpReceiver());
      const { provider, span } = start({ type: 'jaeger', host: '127.0.0.1', port: receiver.port });
      span('place order');
      await provider.shutdown();
      await wait(50);
      expect(receiver.received).toHaveLength(1);
      expect(process.env.OTEL_EXPORTER_JAEGER_ENDPOINT).toBe(WRONG.OTEL_EXPORTER_JAEGER_ENDPOINT);
    });
  });

  describe('over TLS', () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'tls-'));
      writeFileSync(join(folder, 'ca.pem'), certificate);
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    it.each(['http/protobuf', 'grpc'] as const)(
      '%s trusts the certificate that a variable names, and no other',
      async (protocol) => {
        const receiver = await open(protocol === 'grpc' ? grpcReceiver(true) : httpReceiver([200], true));
        const exporter = { type: 'otlp', protocol, endpoint: `https://localhost:${receiver.port}` } as const;
        const trusting = start(exporter, {}, { OTEL_EXPORTER_OTLP_CERTIFICATE: join(folder, 'ca.pem') });
        trusting.span('place order');
        await trusting.provider.shutdown();
        expect(receiver.received).toHaveLength(1);

        const distrusting = start(exporter, { shutdown: { timeout: 500 } });
        distrusting.span('place order');
        await distrusting.provider.shutdown();
        expect(receiver.received).toHaveLength(1);
        expect(warnings).toEqual([expect.stringMatching(/1 span is lost.*certificate/i)]);
      },
    );
  });

  it('tries again after 503, and reports nothing if that succeeds', async () => {
    const receiver = await open(httpReceiver([503, 200]));
    const { provider, span } = start({ type: 'otlp', endpoint: `http://127.0.0.1:${receiver.port}` });
    span('place order');
    await provider.forceFlush();
    expect(receiver.received).toHaveLength(2);
    expect(warnings).toEqual([]);
  });

  it('warns where spans are lost and why, without the secrets of the address, and when exports succeed again', async () => {
    const receiver = await open(httpReceiver([401, 200]));
    const endpoint = `http://me:hunter2@127.0.0.1:${receiver.port}?key=hunter2`;
    const { provider, span } = start({ type: 'otlp', endpoint });
    span('lost');
    await provider.forceFlush().catch(() => {});
    const destination = `http://127.0.0.1:${receiver.port}/v1/traces`;
    expect(warnings).toEqual([expect.stringContaining(`1 span is lost: the export to ${destination} failed`)]);
    expect(warnings[0]).toContain('Unauthorized');
    span('arrives');
    await provider.forceFlush();
    expect(warnings[1]).toContain(`Spans reach ${destination} again; 1 are lost so far.`);
    expect(warnings.join()).not.toContain('hunter2');
  });
});

describe('jaeger', () => {
  it('reaches a collector over HTTP, with its credentials', async () => {
    const receiver = await open(httpReceiver([202]));
    const endpoint = `http://127.0.0.1:${receiver.port}`;
    const { provider, span } = start({ type: 'jaeger', endpoint, username: 'me', password: 'hunter2' });
    span('place order');
    await provider.shutdown();
    expect(receiver.received).toHaveLength(1);
    expect(receiver.received[0]).toMatchObject({
      path: '/api/traces',
      headers: { 'content-type': 'application/x-thrift' },
    });
    expect(receiver.received[0]?.headers.authorization).toBe(`Basic ${btoa('me:hunter2')}`);
    expect(receiver.received[0]?.body.toString('latin1')).toContain('place order');
  });

  it('sends a full queue to an agent over UDP at shutdown', async () => {
    const receiver = await open(udpReceiver());
    const { provider, span } = start({ type: 'jaeger', host: '127.0.0.1', port: receiver.port });
    for (let index = 1000; index < 3048; index++) span(`span-${index}`);
    await provider.shutdown();
    await wait(100);
    const names = receiver.received.flatMap(({ body }) => body.toString('latin1').match(/span-\d{4}/g) ?? []);
    expect(new Set(names).size).toBe(2048);
    expect(warnings).toEqual([]);
  });

  it('loses only the span that is larger than a packet', async () => {
    const receiver = await open(udpReceiver());
    const { provider, span } = start({ type: 'jaeger', host: '127.0.0.1', port: receiver.port });
    span('before');
    provider
      .getTracer('test', '1')
      .startSpan('huge', { attributes: { text: 'x'.repeat(70_000) } })
      .end();
    span('after');
    await provider.shutdown();
    await wait(50);
    const sent = receiver.received.map(({ body }) => body.toString('latin1')).join('');
    expect(sent).toContain('before');
    expect(sent).toContain('after');
    expect(warnings).toEqual([
      expect.stringMatching(/^1 span is lost.*limits\.attributeValueLength/),
      expect.stringContaining('1 are lost so far'),
    ]);
  });
});

describe('the shutdown', () => {
  const exporters = (port: number) =>
    [
      ['http/protobuf', { type: 'otlp', endpoint: `http://127.0.0.1:${port}` }],
      ['grpc', { type: 'otlp', protocol: 'grpc', endpoint: `http://127.0.0.1:${port}` }],
      ['jaeger', { type: 'jaeger', endpoint: `http://127.0.0.1:${port}` }],
    ] as const;

  it('takes no time if no server listens', async () => {
    for (const [name, exporter] of exporters(await closedPort())) {
      const { provider, span } = start(exporter);
      span('lost');
      expect([name, (await timed(provider.shutdown())) < 1000]).toEqual([name, true]);
    }
    expect(warnings).toHaveLength(3);
    expect(warnings).toEqual(Array(3).fill(expect.stringMatching(/1 span is lost.*ECONNREFUSED/)));
  });

  it('does not wait for the next attempt of an earlier export', async () => {
    const { provider, span } = start(
      { type: 'otlp', endpoint: `http://127.0.0.1:${await closedPort()}` },
      { batch: { scheduledDelay: 1 } },
    );
    span('lost');
    await wait(300);
    span('lost too');
    expect(await timed(provider.shutdown())).toBeLessThan(300);
  });

  it('exports the queue behind exports that wait for their next attempt', async () => {
    // Four exports are delayed for some seconds; those at the shutdown are accepted.
    const receiver = await open(httpReceiver([503, 503, 503, 503, 200]));
    const endpoint = `http://127.0.0.1:${receiver.port}`;
    const { provider, span } = start({ type: 'otlp', endpoint }, { batch: { maxExportBatchSize: 1 } });
    for (let index = 0; index < 7; index++) span('one of many');
    void provider.forceFlush().catch(() => {});
    while (receiver.received.length < 4) await wait(5);
    await wait(50);
    await provider.shutdown();
    expect(receiver.received).toHaveLength(7);
    expect(warnings.at(-1)).toMatch(/^4 spans to .* are lost: .* 3 have arrived\.$/);
  });

  it('takes no longer than its limit if the server does not answer, and closes the connection', async () => {
    const receiver = await open(silentReceiver());
    for (const [name, exporter] of exporters(receiver.port)) {
      const { provider, span } = start(exporter, { shutdown: { timeout: 200 } });
      span('lost');
      expect([name, (await timed(provider.shutdown())) < 500]).toEqual([name, true]);
      if (name === 'grpc') for (const socket of receiver.sockets) socket.destroy();
      await wait(20);
      expect([name, receiver.sockets.size]).toEqual([name, 0]);
    }
    expect(warnings).toEqual(expect.arrayContaining([expect.stringContaining('not done within 200 ms at shutdown')]));
  });

  it('waits for an export that has started before', async () => {
    let answer: () => void = () => {};
    const exporter: SpanExporter = {
      export: (_spans, done) => void (answer = () => done({ code: 0 })),
      shutdown: () => Promise.resolve(),
    };
    const { provider, span } = start(exporter, { batch: { scheduledDelay: 1 } });
    span('on its way');
    await wait(50);
    const closing = jest.fn();
    const closed = provider.shutdown().then(closing);
    await wait(50);
    expect(closing).not.toHaveBeenCalled();
    answer();
    await closed;
    expect(warnings).toEqual([]);
  });

  it('shuts an exporter down whose last export failed', async () => {
    const shutdown = jest.fn(() => Promise.resolve());
    const { provider, span } = start({ export: (_spans, done) => done({ code: 1 }), shutdown });
    span('lost');
    await expect(provider.shutdown()).resolves.toBeUndefined();
    expect(shutdown).toHaveBeenCalledTimes(1);
  });
});

describe('the export of a span', () => {
  it('is immediate to exporters that keep spans for tests, and in batches to others', async () => {
    const { InMemorySpanExporter } = loadFromSdk<TracePackage>('@opentelemetry/sdk-trace');
    const keeping = new InMemorySpanExporter();
    const batches: number[] = [];
    const custom: SpanExporter = {
      export(spans, done) {
        batches.push(spans.length);
        done({ code: 0 });
      },
      shutdown: () => Promise.resolve(),
    };
    const { provider, span, memory } = start([keeping, 'memory', custom]);
    span('one');
    span('two');
    expect(keeping.getFinishedSpans().map(({ name }) => name)).toEqual(['one', 'two']);
    expect(memory?.getFinishedSpans().map(({ name }) => name)).toEqual(['one', 'two']);
    expect(batches).toEqual([]);
    await provider.forceFlush();
    expect(batches).toEqual([2]);
  });

  it('is bounded by the options, and dropped spans are reported', async () => {
    const batches: number[] = [];
    const answers: (() => void)[] = [];
    const custom: SpanExporter = {
      export(spans, done) {
        batches.push(spans.length);
        answers.push(() => done({ code: 0 }));
      },
      shutdown: () => Promise.resolve(),
    };
    const batch = { maxQueueSize: 5, maxExportBatchSize: 4, scheduledDelay: 60_000 };
    const { provider, span } = start(custom, { batch });
    // Four are exported at once; while they are pending, five are queued, and the last two are dropped.
    for (let index = 0; index < 11; index++) span('one of many');
    expect(batches).toEqual([4]);
    expect(warnings).toEqual([expect.stringMatching(/^A span is dropped: 5 already wait .*batch\.maxQueueSize/)]);
    const flushed = provider.forceFlush();
    for (const answer of answers) answer();
    await flushed;
    expect(batches).toEqual([4, 4, 1]);
    await provider.shutdown();
    expect(warnings[1]).toMatch(/^2 spans to .* are lost: 2 found no room to wait, .* of 0 failed; 9 have arrived\.$/);
  });

  it('is bounded by the size of the spans as well, until their export has ended', async () => {
    const answers: (() => void)[] = [];
    // The class has its own name, because a warning about an exporter is written once in a minute.
    const custom = new (class Accumulating implements SpanExporter {
      export(...[spans, done]: Parameters<SpanExporter['export']>) {
        // An exporter may change a span, and the sum of the sizes must still be right.
        for (const span of spans) delete span.attributes.text;
        answers.push(() => done({ code: 0 }));
      }
      shutdown = () => Promise.resolve();
    })();
    const { provider, processors } = start(custom, { batch: { maxExportBatchSize: 4, scheduledDelay: 60_000 } });
    const tracer = provider.getTracer('test');
    const megabyte = 'x'.repeat(2 ** 20);
    const spans = (count: number) => {
      for (let index = 0; index < count; index++) tracer.startSpan('large', { attributes: { text: megabyte } }).end();
    };
    // With three bytes per character, 21 fit: four pending and 17 queued.
    spans(30);
    expect(processors[0]?.statistics()).toMatchObject({ taken: 4, queued: 17, dropped: 9 });
    expect(warnings).toEqual([expect.stringMatching(/^A span is dropped: 63 MiB of spans already wait/)]);
    const flushed = provider.forceFlush();
    while (answers.length > 0) answers.shift()?.();
    await flushed;
    expect(processors[0]?.statistics()).toMatchObject({ taken: 21, exported: 21, queued: 0 });
    spans(21);
    expect(processors[0]?.statistics()).toMatchObject({ dropped: 9 });
    const closed = provider.shutdown();
    while (processors[0]?.statistics()?.exported !== 42) {
      answers.shift()?.();
      await wait(0);
    }
    await closed;
  });

  it.each(['http/protobuf', 'grpc'] as const)('holds a flush of many small batches over %s', async (protocol) => {
    const receiver = await open(protocol === 'grpc' ? grpcReceiver() : httpReceiver());
    const endpoint = `http://127.0.0.1:${receiver.port}`;
    const batch = { maxQueueSize: 1000, maxExportBatchSize: 10 };
    const { provider, span } = start({ type: 'otlp', protocol, endpoint }, { batch });
    for (let index = 0; index < 1000; index++) span('one of many');
    await provider.forceFlush();
    expect(receiver.received).toHaveLength(100);
    expect(warnings).toEqual([]);
  });

  it('does nothing without an exporter', () => {
    const { processors, memory } = start('none');
    expect(processors).toEqual([]);
    expect(memory).toBeUndefined();
  });
});
