import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, jest } from '@jest/globals';
import type { ReadableSpan, SpanExporter } from '../../../../lib/options/sdk-types.js';
import { loadFromSdk } from '../../../../lib/sdk/packages.js';
import { closedPort, grpcReceiver, httpReceiver, silentReceiver } from './receivers.js';
import { startedProviders, timed, until } from './started-providers.js';

interface TracePackage {
  InMemorySpanExporter: new () => SpanExporter & { getFinishedSpans(): ReadableSpan[] };
}

const { open, start, warnings } = startedProviders();

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
    const { provider, span, statistics } = start(
      { type: 'otlp', endpoint: `http://127.0.0.1:${await closedPort()}` },
      { batch: { scheduledDelay: 1 } },
    );
    span('lost');
    await until(() => statistics()[0]?.taken === 1);
    // The exporter has failed by then, and waits for its next attempt.
    await wait(50);
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
    await until(() => receiver.received.length === 4);
    // The exporters have read the answers by then.
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
      await until(() => receiver.sockets.size === 0);
    }
    expect(warnings).toEqual(expect.arrayContaining([expect.stringContaining('not done within 200 ms at shutdown')]));
  });

  it('waits for an export that has started before', async () => {
    let answer: () => void = () => {};
    const exporter: SpanExporter = {
      export: (_spans, done) => void (answer = () => done({ code: 0 })),
      shutdown: () => Promise.resolve(),
    };
    const { provider, span, statistics } = start(exporter, { batch: { scheduledDelay: 1 } });
    span('pending');
    await until(() => statistics()[0]?.taken === 1);
    const onShutdown = jest.fn();
    const shutdown = provider.shutdown().then(onShutdown);
    await wait(50);
    expect(onShutdown).not.toHaveBeenCalled();
    answer();
    await shutdown;
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
    await until(() => batches.length === 1);
    expect(batches).toEqual([4]);
    expect(warnings).toEqual([expect.stringMatching(/^A span is dropped: 5 already wait .*batch\.maxQueueSize/)]);
    const flushed = provider.forceFlush();
    for (const count of [1, 2, 3]) {
      await until(() => answers.length === count);
      answers[count - 1]?.();
    }
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
    const { provider, statistics } = start(custom, { batch: { maxExportBatchSize: 4, scheduledDelay: 60_000 } });
    const tracer = provider.getTracer('test');
    const megabyte = 'x'.repeat(2 ** 20);
    const spans = (count: number) => {
      for (let index = 0; index < count; index++) tracer.startSpan('large', { attributes: { text: megabyte } }).end();
    };
    // With three bytes per character, 21 fit: four pending and 17 queued.
    spans(30);
    expect(statistics()[0]).toMatchObject({ taken: 4, queued: 17, dropped: 9 });
    expect(warnings).toEqual([expect.stringMatching(/^A span is dropped: 63 MiB of spans already wait/)]);
    const flushed = provider.forceFlush();
    while (statistics()[0]?.exported !== 21) {
      answers.shift()?.();
      await wait(0);
    }
    await flushed;
    expect(statistics()[0]).toMatchObject({ taken: 21, exported: 21, queued: 0 });
    spans(21);
    expect(statistics()[0]).toMatchObject({ dropped: 9 });
    const closed = provider.shutdown();
    while (statistics()[0]?.exported !== 42) {
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
