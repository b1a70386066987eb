import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags, type Span } from '@opentelemetry/api';
import { contextManager } from '../../../lib/core/context-manager.js';
import { isSampled } from '../../../lib/core/sampled.js';
import type { ResolvedKeep } from '../../../lib/options/sampler.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';
import { withSamplingRequest } from '../../../lib/propagation/sampling-request.js';
import { traceStateWith, UNDECIDED } from '../../../lib/propagation/trace-state.js';
import { createSampling } from '../../../lib/sampling/create-sampling.js';
import type { Pipeline } from '../../../lib/tracer/pipeline.js';
import type { RecordedSpan } from '../../../lib/tracer/span.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { heapGrowth } from '../../support/heap.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

const MIB = 2 ** 20;
const MARK = 'tailsampling.policy';

beforeAll(() => {
  context.setGlobalContextManager(contextManager);
});
afterAll(() => {
  context.disable();
});

const warnings = recordWarnings();

let provider: LibraryTracerProvider;
let ended: KeptSpans;
let pipeline: Pipeline;
beforeEach(() => {
  provider = new LibraryTracerProvider();
  ended = new KeptSpans();
  use();
});

/** Samples no trace, and keeps those that the rule keeps. */
function use(
  rule: Partial<ResolvedKeep> = {},
  type: 'parentbased_traceidratio' | 'traceidratio' = 'parentbased_traceidratio',
) {
  const keep = { errors: true, slowerThan: 500, partialTraces: false, ...rule };
  pipeline = createPipeline([ended], { sampling: createSampling({ type, ratio: 0, keep }, 'test') });
  provider.use(pipeline, undefined);
}

function start(name: string, parent?: Span, startTime?: number): Span {
  const within = parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT;
  return provider.getTracer('test').startSpan(name, startTime === undefined ? {} : { startTime }, within);
}

function fail(span: Span): void {
  span.setStatus({ code: SpanStatusCode.ERROR }).end();
}

const names = (spans: readonly ReadableSpan[]) => spans.map(({ name }) => name);
const exported = () => ended.spans.filter((span) => isSampled(span));
/** The time of the start of a root that is slow. */
const longAgo = () => Date.now() - 1000;
const manyChildren = (count: number, parent: Span) => {
  for (let i = 0; i < count; i++) start(`child ${i}`, parent).end();
};

describe('a trace that is not sampled', () => {
  it('is recorded, and exported as a whole when a span has failed', () => {
    const root = start('root');
    const child = start('child', root);
    start('grandchild', child).end();
    expect(root.isRecording()).toBe(true);
    expect(ended.spans).toEqual([]);
    fail(child);
    expect(names(exported())).toEqual(['grandchild', 'child']);
    start('sibling', root).end();
    root.end();
    expect(names(exported())).toEqual(['grandchild', 'child', 'sibling', 'root']);
    expect(exported().map(({ attributes }) => attributes[MARK])).toEqual(Array(4).fill('errors'));
    expect(new Set(exported().map((span) => span.spanContext().traceId)).size).toBe(1);
    expect(exported().map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([
      child.spanContext().spanId,
      root.spanContext().spanId,
      root.spanContext().spanId,
      undefined,
    ]);
  });

  it('is exported as a whole when its local root was slow', () => {
    const root = start('root', undefined, longAgo());
    start('child', root).end();
    expect(ended.spans).toEqual([]);
    root.end();
    expect(names(exported())).toEqual(['child', 'root']);
    expect(exported().map(({ attributes }) => attributes[MARK])).toEqual(['slowerThan', 'slowerThan']);
  });

  it('is discarded if its local root was fast, although a child was slow', () => {
    const root = start('root');
    start('child', root, longAgo()).end();
    root.end();
    expect(exported()).toEqual([]);
  });

  it('is seen by processors as recorded and not sampled if it is discarded', () => {
    const root = start('root');
    start('child', root).end();
    expect(ended.spans).toEqual([]);
    root.end();
    expect(names(ended.spans)).toEqual(['child', 'root']);
    expect(ended.spans.map((span) => span.spanContext().traceFlags)).toEqual([TraceFlags.NONE, TraceFlags.NONE]);
    expect(ended.spans.map(({ attributes }) => attributes[MARK])).toEqual([undefined, undefined]);
  });

  it.each([
    [{ errors: false }, (root: Span) => fail(start('child', root)), undefined],
    [{ slowerThan: Infinity }, (root: Span) => root.end(Date.now() + 10_000), undefined],
    [{ errors: false }, (root: Span) => root.end(Date.now() + 10_000), 'slowerThan'],
  ])('follows each part of the rule alone: %j', (rule, act, reason) => {
    use(rule);
    const root = start('root');
    act(root);
    root.end();
    expect(ended.spans.find(({ name }) => name === 'root')!.attributes[MARK]).toBe(reason);
  });

  it('propagates that it is not sampled, also once it is kept', () => {
    const root = start('root');
    fail(start('child', root));
    expect(root.spanContext().traceFlags).toBe(TraceFlags.NONE);
    const later = start('later', root);
    expect(later.spanContext().traceFlags).toBe(TraceFlags.NONE);
    root.end();
    expect(start('after the root', root).spanContext().traceFlags).toBe(TraceFlags.NONE);
  });

  it.each([
    ['kept', true],
    ['discarded', false],
  ])('that was %s passes the decision on to spans that end after the local root', (_, isKept) => {
    const root = start('root', undefined, isKept ? longAgo() : undefined);
    const open = start('open', root);
    root.end();
    const later = start('later', root);
    expect(later.isRecording()).toBe(isKept);
    fail(later);
    open.end();
    expect(names(exported())).toEqual(isKept ? ['root', 'later', 'open'] : []);
  });

  it('is not joined by a new trace within it', () => {
    const root = start('root');
    const within = trace.setSpan(ROOT_CONTEXT, root);
    fail(provider.getTracer('test').startSpan('other root', { root: true }, within));
    root.end();
    expect(names(exported())).toEqual(['other root']);
  });

  it('marks the span that an exporter reads, although a processor has replaced its attributes', () => {
    ended.onStart = () => {};
    Object.assign(ended, {
      onEnding: (span: { attributes: object }) => (span.attributes = { replaced: true }),
    });
    use();
    fail(start('root'));
    expect(exported().map(({ attributes }) => attributes)).toEqual([{ replaced: true, [MARK]: 'errors' }]);
  });

  it('is exported although the application has frozen an ended span', () => {
    const root = start('root', undefined, longAgo());
    const child = start('child', root);
    child.end();
    child.spanContext();
    Object.freeze(child);
    root.end();
    expect(names(exported())).toEqual(['child', 'root']);
    expect(exported()[0]!.spanContext().traceFlags).toBe(TraceFlags.SAMPLED);
  });

  it('is not recorded without the option', () => {
    const sampling = createSampling({ type: 'parentbased_traceidratio', ratio: 0 }, 'test');
    provider.use(createPipeline([ended], { sampling }), undefined);
    const root = start('root');
    expect([root, start('child', root)].map((span) => span.isRecording())).toEqual([false, false]);
  });

  it('passes the spans of a pipeline on to that pipeline, although another one has followed', () => {
    const root = start('root');
    start('child', root).end();
    provider.use(createPipeline([new KeptSpans()]), undefined);
    fail(root);
    expect(names(exported())).toEqual(['child', 'root']);
  });
});

describe('a trace that another service has begun', () => {
  const REMOTE = { traceId: 'c'.repeat(32), spanId: 'd'.repeat(16), isRemote: true };

  function serve(within = ROOT_CONTEXT): Span {
    return provider.getTracer('test').startSpan('served', { kind: SpanKind.SERVER }, within);
  }
  const below = (traceFlags: number, traits = 0) =>
    trace.setSpanContext(ROOT_CONTEXT, { ...REMOTE, traceFlags, traceState: traceStateWith(traits)! });

  it.each([
    ['unsampled', {}, below(TraceFlags.NONE), false],
    ['unsampled, with partialTraces', { partialTraces: true }, below(TraceFlags.NONE), true],
    ['undecided', {}, below(TraceFlags.NONE, UNDECIDED), true],
    ['unsampled without ids', {}, withSamplingRequest(ROOT_CONTEXT, { sampled: false, debug: false }), false],
    [
      'unsampled without ids, with partialTraces',
      { partialTraces: true },
      withSamplingRequest(ROOT_CONTEXT, { sampled: false, debug: false }),
      true,
    ],
  ])('and calls %s: recorded %j', (_, rule, within, isRecorded) => {
    use(rule);
    const served = serve(within);
    expect(served.isRecording()).toBe(isRecorded);
    expect(served.spanContext().traceFlags).toBe(TraceFlags.NONE);
    fail(start('child', served));
    served.end();
    expect(names(exported())).toEqual(isRecorded ? ['child', 'served'] : []);
  });

  it('and samples is sampled, and not marked', () => {
    fail(serve(below(TraceFlags.SAMPLED)));
    expect(exported().map(({ attributes }) => attributes[MARK])).toEqual([undefined]);
  });

  it('does not keep what a sampling request without ids is not about', () => {
    const within = withSamplingRequest(ROOT_CONTEXT, { sampled: false, debug: false });
    fail(provider.getTracer('test').startSpan('job', {}, within));
    expect(names(exported())).toEqual(['job']);
  });

  it('is kept if this service does not follow a caller that samples', () => {
    use({}, 'traceidratio');
    const served = serve(below(TraceFlags.SAMPLED));
    expect(served.spanContext().traceFlags).toBe(TraceFlags.NONE);
    fail(start('child', served));
    served.end();
    expect(names(exported())).toEqual(['child', 'served']);
    expect(served.spanContext().traceFlags).toBe(TraceFlags.SAMPLED);
  });
});

describe('the limits of undecided traces', () => {
  it('discard a trace with too many spans', () => {
    const root = start('root');
    manyChildren(1000, root);
    expect(exported()).toEqual([]);
    expect(ended.spans).toHaveLength(1000);
    fail(root);
    expect(exported()).toEqual([]);
    expect(start('later', root).isRecording()).toBe(false);
    expect(warnings).toEqual([expect.stringContaining('over 1000 spans')]);
  });

  it('keep such a trace if its root is slow already', () => {
    const root = start('root', undefined, longAgo());
    manyChildren(1000, root);
    expect(exported()).toHaveLength(1000);
    expect(warnings).toEqual([]);
  });

  it('discard a trace with too many bytes', () => {
    const root = start('root');
    for (let i = 0; i < 100; i++) start('child', root).setAttribute('text', 'x'.repeat(8000)).end();
    fail(root);
    expect(exported()).toEqual([]);
    expect(warnings).toEqual([expect.stringContaining('over 1 MiB of spans')]);
  });

  it('do not apply to a trace that is kept', () => {
    const root = start('root');
    fail(start('failed', root));
    manyChildren(1500, root);
    root.end();
    expect(exported()).toHaveLength(1502);
  });

  it('decide about the oldest trace if there are too many', () => {
    const slow = start('slow', undefined, longAgo());
    start('child of the slow root', slow).end();
    const roots = Array.from({ length: 2001 }, (_, i) => start(`root ${i}`));
    expect(names(exported())).toEqual(['child of the slow root']);
    expect(warnings).toEqual([expect.stringContaining('2000 traces are undecided')]);
    slow.end();
    for (const root of roots) fail(root);
    expect(names(exported())).toEqual([
      'child of the slow root',
      'slow',
      ...roots.slice(1).map((_, i) => `root ${i + 1}`),
    ]);
  });

  it('decide about the oldest traces if all have too many bytes', () => {
    const roots = Array.from({ length: 30 }, (_, i) => {
      const root = start(`root ${i}`);
      for (let n = 0; n < 30; n++) start('child', root).setAttribute('text', 'x'.repeat(8000)).end();
      return root;
    });
    expect(warnings).toEqual([expect.stringContaining('16 MiB of spans are undecided')]);
    for (const root of roots) fail(root);
    const kept = names(exported()).filter((name) => name.startsWith('root'));
    expect(kept).toContain('root 29');
    expect(kept).not.toContain('root 0');
    expect(kept.length).toBeGreaterThan(20);
  });

  it('count no trace that is decided', () => {
    const old = start('old');
    for (let i = 0; i < 5000; i++) start('root').end();
    for (let i = 0; i < 50; i++) {
      const root = start('root');
      for (let n = 0; n < 30; n++) start('child', root).setAttribute('text', 'x'.repeat(8000)).end();
      root.end();
    }
    fail(old);
    expect(names(exported())).toEqual(['old']);
    expect(warnings).toEqual([]);
  });

  it('count no trace whose local root is discarded', () => {
    const old = start('old');
    for (let i = 0; i < 2000; i++) {
      const ignored = start('ignored') as RecordedSpan;
      ignored.discardCandidate();
      expect(start('below', ignored).isRecording()).toBe(false);
    }
    fail(old);
    expect(names(exported())).toEqual(['old']);
    expect(warnings).toEqual([]);
  });
});

describe('the memory of undecided traces', () => {
  // A mock would keep the results of all its calls.
  beforeEach(() => {
    jest.restoreAllMocks();
  });

  it('is bounded for roots that never end', async () => {
    ended.onEnd = () => {};
    const growth = await heapGrowth(() => {
      for (let i = 0; i < 50_000; i++) start('child', start('root')).setAttribute('text', `${i}`.repeat(500)).end();
    });
    expect(growth).toBeLessThan(20 * MIB);
  });

  it('is released at the decision, although the application holds the root', async () => {
    ended.onEnd = () => {};
    const roots: Span[] = [];
    const growth = await heapGrowth(() => {
      for (let i = 0; i < 300; i++) {
        const root = start('root');
        for (let n = 0; n < 50; n++) start('child', root).setAttribute('text', `${i}${n}`.repeat(500)).end();
        root.end();
        roots.push(root);
      }
    });
    expect(roots).toHaveLength(300);
    expect(growth).toBeLessThan(2 * MIB);
  });
});

describe('the shutdown of a pipeline', () => {
  it('decides about open traces by what is known of them', async () => {
    const slow = start('slow', undefined, longAgo());
    start('child of the slow root', slow).end();
    const fast = start('fast');
    start('child of the fast root', fast).end();
    await pipeline.shutdown();
    expect(names(exported())).toEqual(['child of the slow root']);
    expect(names(ended.spans)).toEqual(['child of the slow root', 'child of the fast root']);
    expect(warnings).toEqual([]);
  });
});

describe('spans that start before the options are known', () => {
  beforeEach(() => provider.startBuffering());

  it.each([
    ['failed', true],
    ['succeeded', false],
  ])('follow the rule if a child has %s, also once all have ended', (_, hasFailed) => {
    const root = start('root');
    const child = start('child', root);
    if (hasFailed) fail(child);
    else child.end();
    root.end();
    use();
    expect(names(exported())).toEqual(hasFailed ? ['child', 'root'] : []);
    expect(root.spanContext().traceFlags).toBe(hasFailed ? TraceFlags.SAMPLED : TraceFlags.NONE);
  });

  it('follow the rule if they end later', () => {
    const root = start('root');
    start('child', root).end();
    use();
    expect(ended.spans).toEqual([]);
    fail(start('late child', root));
    root.end();
    expect(names(exported())).toEqual(['child', 'late child', 'root']);
  });
});
