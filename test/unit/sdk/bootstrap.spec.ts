import { afterEach, describe, expect, it } from '@jest/globals';
import { context, createContextKey, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import { discardBuffered, startBuffering, startTracing } from '../../../lib/sdk/bootstrap.js';
import type { TracingRuntime } from '../../../lib/tracing.runtime.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';

setDiagnosticsSink({ warn() {} });

const running: TracingRuntime[] = [];
afterEach(async () => {
  for (const runtime of running.splice(0)) await runtime.shutdown();
  discardBuffered();
  expect(registered()).toEqual([]);
});

function start(serviceName: string, options: TracingOptions = {}, application: object = {}): TracingRuntime {
  const runtime = startTracing(resolveOptions({ serviceName, exporter: 'memory', ...options }, {}), application);
  running.push(runtime);
  return runtime;
}

function work(name: string): void {
  trace.getTracer('app').startSpan(name).end();
}

function names(runtime: TracingRuntime): string[] {
  return runtime.finishedSpans().map((span) => `${String(span.resource.attributes['service.name'])}: ${span.name}`);
}

/** Returns the names of what is registered with OpenTelemetry's API. */
function registered(): string[] {
  const key = Symbol.for('opentelemetry.js.api.1');
  const { version: _, ...globals } = (globalThis as { [key]?: Record<string, unknown> })[key] ?? {};
  return Object.keys(globals).toSorted();
}

describe('startBuffering()', () => {
  it('registers an early provider and a context manager, and discardBuffered() unregisters them', () => {
    startBuffering();
    const key = createContextKey('key');
    expect(registered()).toEqual(['context', 'trace']);
    expect(context.with(ROOT_CONTEXT.setValue(key, 1), () => context.active().getValue(key))).toBe(1);
    expect(trace.getTracer('app').startSpan('work').isRecording()).toBe(true);
    discardBuffered();
    expect(registered()).toEqual([]);
    expect(trace.getTracer('app').startSpan('work').isRecording()).toBe(false);
  });

  it('is a no-op if OTEL_SDK_DISABLED is true', () => {
    process.env.OTEL_SDK_DISABLED = ' TRUE ';
    try {
      startBuffering();
      expect(registered()).toEqual([]);
    } finally {
      delete process.env.OTEL_SDK_DISABLED;
    }
  });

  it('is a no-op if another SDK has registered a provider', () => {
    const provider = new TracerProvider({});
    trace.setGlobalTracerProvider(provider);
    try {
      startBuffering();
      discardBuffered();
      expect(registered()).toEqual(['trace']);
    } finally {
      trace.disable();
    }
  });

  it('is a no-op if an application is up', () => {
    const first = start('first');
    first.acquire();
    startBuffering();
    work('meanwhile');
    expect(names(first)).toEqual(['first: meanwhile']);
  });
});

describe('startTracing()', () => {
  it('exports buffered spans, and unregisters everything at shutdown', async () => {
    startBuffering();
    work('early');
    const runtime = start('shop');
    runtime.acquire();
    work('late');
    expect(registered()).toEqual(['context', 'propagation', 'trace']);
    expect(propagation.fields()).toContain('traceparent');
    await runtime.shutdown();
    expect(registered()).toEqual([]);
    expect(names(runtime)).toEqual(['shop: early', 'shop: late']);
  });

  it('discards buffered spans if tracing is disabled', () => {
    startBuffering();
    work('early');
    const runtime = start('shop', { enabled: false });
    expect(runtime).toMatchObject({ enabled: false });
    expect(registered()).toEqual([]);
  });

  it('discards buffered spans if it fails', () => {
    startBuffering();
    const options = resolveOptions({ serviceName: 'shop' }, {});
    const exporters = options.exporters.map((exporter) => ({ ...exporter, url: 'nowhere' }));
    expect(() => startTracing({ ...options, exporters }, {})).toThrow('Invalid URL');
    expect(registered()).toEqual([]);
  });
});

describe('several applications', () => {
  it('share the provider of the one that is up, until the last is shut down', async () => {
    const first = start('first');
    first.acquire();
    const second = start('second');
    second.acquire();
    work('shared');
    expect(names(second)).toEqual(['first: shared']);
    await first.shutdown();
    await first.shutdown();
    work('still there');
    expect(names(second)).toEqual(['first: shared', 'first: still there']);
    await second.shutdown();
    expect(registered()).toEqual([]);
  });

  it('have a provider of their own if they run one after the other', async () => {
    for (const name of ['first', 'second']) {
      startBuffering();
      work('early');
      const runtime = start(name);
      runtime.acquire();
      work('late');
      await runtime.shutdown();
      expect(names(runtime)).toEqual([`${name}: early`, `${name}: late`]);
    }
  });

  it('do not use the provider of an application whose start has failed', () => {
    startBuffering();
    work('early, of the first');
    const first = start('first');
    startBuffering();
    work('early, of the second');
    const second = start('second');
    second.acquire();
    work('late');
    expect(names(second)).toEqual(['second: early, of the second', 'second: late']);
    expect(names(first)).toEqual(['first: early, of the first']);
  });

  it('do not export spans of an application whose start has failed before its options were known', () => {
    startBuffering();
    work('early, of the first');
    startBuffering();
    work('early, of the second');
    const second = start('second');
    second.acquire();
    expect(names(second)).toEqual(['second: early, of the second']);
  });

  it('keep their provider if the other one does not trace', () => {
    const first = start('first');
    work('before');
    startBuffering();
    work('meanwhile');
    start('second', { enabled: false });
    work('after');
    first.acquire();
    work('up');
    expect(names(first)).toEqual(['first: before', 'first: after', 'first: up']);
  });

  it('keep their provider if the options of the other one are not known yet', () => {
    const first = start('first');
    startBuffering();
    work('meanwhile');
    first.acquire();
    work('up');
    const second = start('second');
    second.acquire();
    expect(names(first)).toEqual(['first: meanwhile', 'first: up']);
    expect(names(second)).toEqual(['first: meanwhile', 'first: up']);
  });

  it('join the provider of the other one if they start first and are up last', async () => {
    const first = start('first');
    startBuffering();
    const second = start('second');
    second.acquire();
    first.acquire();
    work('shared');
    expect(names(first)).toEqual(['second: shared']);
    await second.shutdown();
    work('still there');
    expect(names(first)).toEqual(['second: shared', 'second: still there']);
  });

  it('start another provider if the other one has started and shut down', async () => {
    const first = start('first');
    startBuffering();
    const second = start('second');
    second.acquire();
    await second.shutdown();
    first.acquire();
    work('up');
    expect(names(first)).toEqual(['first: up']);
  });

  it('share the spans that both have buffered', () => {
    startBuffering();
    work('early, of the first');
    startBuffering();
    work('early, of the second');
    const second = start('second');
    const first = start('first');
    first.acquire();
    second.acquire();
    expect(names(first)).toEqual(['second: early, of the second', 'second: early, of the first']);
    expect(names(second)).toEqual(names(first));
  });

  it('can shut down without having been up', async () => {
    const first = start('first');
    startBuffering();
    const second = start('second');
    await first.shutdown();
    work('of the second');
    expect(names(second)).toEqual(['second: of the second']);
    await second.shutdown();
    expect(registered()).toEqual([]);
  });
});

it('recognizes the second module of an application', () => {
  const application = {};
  expect(start('first', {}, application).repeated).toBe(false);
  expect(start('second', {}, application).repeated).toBe(true);
  work('work');
  expect(names(running[1]!)).toEqual(['first: work']);
});

it('uses a foreign provider, registers a context manager and a propagator beside it, and does not shut it down', async () => {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] });
  trace.setGlobalTracerProvider(provider);
  try {
    const first = start('first');
    const second = start('second');
    for (const runtime of [first, second]) runtime.acquire();
    expect([first.foreignProvider, second.foreignProvider]).toEqual([true, true]);
    expect(registered()).toEqual(['context', 'propagation', 'trace']);
    await first.shutdown();
    expect(registered()).toEqual(['context', 'propagation', 'trace']);
    await second.shutdown();
    expect(registered()).toEqual(['trace']);
    work('afterwards');
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['afterwards']);
  } finally {
    trace.disable();
  }
});

it('uses a foreign provider with the propagators of an application that is up, not of one whose start has failed', async () => {
  trace.setGlobalTracerProvider(new TracerProvider({}));
  try {
    start('failed', { propagators: ['b3'] });
    const second = start('second', { propagators: ['jaeger'] });
    second.acquire();
    expect(propagation.fields()).toContain('uber-trace-id');
    expect(propagation.fields()).not.toContain('b3');
    start('beside', { propagators: ['b3'] });
    expect(propagation.fields()).toContain('uber-trace-id');
    await second.shutdown();
    expect(registered()).toEqual(['trace']);
  } finally {
    for (const runtime of running.splice(0)) await runtime.shutdown();
    trace.disable();
  }
});
