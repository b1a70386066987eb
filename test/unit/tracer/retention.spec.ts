import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { context as contextApi, ROOT_CONTEXT, trace, type Span, type Tracer } from '@opentelemetry/api';
import { contextManager } from '../../../lib/core/context-manager.js';
import type { Sampler } from '../../../lib/options/sdk-types.js';
import { alwaysOff } from '../../../lib/sampling/standard-samplers.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { heapGrowth } from '../../support/heap.js';
import { createPipeline } from '../../support/pipeline.js';

beforeAll(() => void contextApi.setGlobalContextManager(contextManager));
afterAll(() => contextApi.disable());

const LENGTH = 100;

/** Starts a span below the previous one in each of many timers: the last context lives as long as the process. */
async function startChain(tracer: Tracer): Promise<{ last: Span; spans: WeakRef<Span>[] }> {
  const spans: WeakRef<Span>[] = [];
  let last: Span | undefined;
  await new Promise<void>((resolve) => {
    const next = () => {
      tracer.startActiveSpan('tick', (span) => {
        spans.push(new WeakRef(span));
        last = span;
        span.spanContext();
        span.end();
        if (spans.length === LENGTH) resolve();
        else setImmediate(next);
      });
    };
    next();
  });
  return { last: last!, spans };
}

async function countKept(spans: readonly WeakRef<Span>[]): Promise<number> {
  await heapGrowth(() => {});
  return spans.filter((span) => span.deref()).length;
}

const recordSome: Sampler = {
  shouldSample: (within) => ({ decision: trace.getSpanContext(within) ? 1 : 2 }),
  toString: () => 'some',
};

describe('a span', () => {
  it.each<[string, Sampler | undefined]>([
    ['by the default', undefined],
    ['by a sampler of the application', recordSome],
    ['never', alwaysOff],
  ])('retains none of the spans above it: sampled %s', async (_, sampler) => {
    const provider = new LibraryTracerProvider();
    provider.use(createPipeline([], sampler && { sampler }), undefined);
    const { last, spans } = await startChain(provider.getTracer('test'));
    expect(await countKept(spans)).toBeLessThan(5);
    expect(spans.at(-1)!.deref()).toBe(last);
  });

  it('that started early retains none of the spans above it, once the options are known', async () => {
    const provider = new LibraryTracerProvider();
    provider.startBuffering();
    const { last, spans } = await startChain(provider.getTracer('test'));
    expect(await countKept(spans)).toBe(LENGTH);
    provider.use(createPipeline([]), undefined);
    expect(await countKept(spans)).toBeLessThan(5);
    expect(trace.getSpan(trace.setSpan(ROOT_CONTEXT, last))).toBe(last);
  });
});
