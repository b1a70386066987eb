import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ROOT_CONTEXT, trace, type HrTime, type Span, type Tracer } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { restartSpan } from '../../../lib/core/span-time.js';
import { currentClock, millisecondsBetween } from '../../../lib/tracer/clock.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { createPipeline, KeptSpans } from '../../support/pipeline.js';
import { preciseTimes } from '../../../lib/sdk/stock/precise-times.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';

const systemNow = Date.now.bind(Date);
afterEach(() => void jest.restoreAllMocks());

interface Recorder {
  readonly provider: LibraryTracerProvider;
  readonly tracer: Tracer;
  spans(): readonly ReadableSpan[];
}

function builtinTracer(): Recorder {
  const kept = new KeptSpans();
  const provider = new LibraryTracerProvider();
  provider.use(createPipeline([kept]), undefined);
  return { provider, tracer: provider.getTracer('test'), spans: () => kept.spans };
}

function sdkTracer(): Recorder {
  const exporter = new InMemorySpanExporter();
  const sdk = new TracerProvider({ spanProcessors: [preciseTimes, new SimpleSpanProcessor({ exporter })] });
  const provider = new LibraryTracerProvider();
  provider.use(createPipeline([new SimpleSpanProcessor({ exporter })]), sdk);
  return { provider, tracer: provider.getTracer('test'), spans: () => exporter.getFinishedSpans() };
}

function child(tracer: Tracer, parent: Span, name = 'child'): Span {
  return tracer.startSpan(name, {}, trace.setSpan(ROOT_CONTEXT, parent));
}

function nanoseconds([seconds, rest]: HrTime): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(rest);
}

function milliseconds(time: HrTime): number {
  return Number(nanoseconds(time)) / 1e6;
}

/** Moves the wall clock by a number of milliseconds. */
function setClock(by: number): void {
  jest.spyOn(Date, 'now').mockImplementation(() => systemNow() + by);
}

function expectInside(inner: ReadableSpan, outer: ReadableSpan): void {
  expect(nanoseconds(inner.startTime)).toBeGreaterThanOrEqual(nanoseconds(outer.startTime));
  expect(nanoseconds(inner.endTime)).toBeLessThanOrEqual(nanoseconds(outer.endTime));
}

describe.each([
  ['builtin', builtinTracer],
  ['sdk', sdkTracer],
])('the times of spans of the tracer %s', (_, recorder) => {
  it('are those of the wall clock, with fractions of milliseconds', () => {
    const { tracer, spans } = recorder();
    for (let index = 0; index < 100; index++) {
      const before = Date.now();
      const span = tracer.startSpan('work');
      span.addEvent('event');
      span.end();
      const after = Date.now() + 1;
      const { startTime, endTime, events } = spans().at(-1)!;
      for (const time of [startTime, endTime, events[0]!.time]) {
        expect(milliseconds(time)).toBeGreaterThanOrEqual(before - 1);
        expect(milliseconds(time)).toBeLessThanOrEqual(after + 1);
      }
    }
    expect(spans().filter(({ startTime }) => startTime[1] % 1e6 !== 0).length).toBeGreaterThan(90);
  });

  it('keep the order of siblings and put children inside their parents', () => {
    const { tracer, spans } = recorder();
    for (let index = 0; index < 200; index++) {
      const outer = tracer.startSpan('outer');
      const first = child(tracer, outer);
      first.addEvent('event');
      const inner = child(tracer, first);
      inner.end();
      first.end();
      child(tracer, outer).end();
      outer.end();
      const [innermost, one, two, outermost] = spans().slice(-4) as [
        ReadableSpan,
        ReadableSpan,
        ReadableSpan,
        ReadableSpan,
      ];
      expectInside(innermost, one);
      expectInside(one, outermost);
      expectInside(two, outermost);
      expect(nanoseconds(one.startTime)).toBeLessThan(nanoseconds(two.startTime));
      expect(nanoseconds(one.endTime)).toBeLessThanOrEqual(nanoseconds(two.startTime));
      expect(nanoseconds(one.events[0]!.time)).toBeGreaterThanOrEqual(nanoseconds(one.startTime));
      expect(nanoseconds(one.events[0]!.time)).toBeLessThanOrEqual(nanoseconds(one.endTime));
    }
  });

  it('follow a wall clock that is set, from the next trace on', () => {
    const { tracer, spans } = recorder();
    const outer = tracer.startSpan('outer');
    setClock(-3_600_000);
    child(tracer, outer).end();
    outer.end();
    tracer.startSpan('next').end();
    const [inner, outermost, next] = spans() as [ReadableSpan, ReadableSpan, ReadableSpan];
    expectInside(inner, outermost);
    expect(Math.abs(milliseconds(next.startTime) - Date.now())).toBeLessThan(100);
    setClock(3_600_000);
    tracer.startSpan('and next').end();
    expect(Math.abs(milliseconds(spans().at(-1)!.startTime) - Date.now())).toBeLessThan(100);
  });

  it('are those of the wall clock after a sleep of the machine within a trace', () => {
    const { tracer, spans } = recorder();
    const outer = tracer.startSpan('outer');
    setClock(3_600_000);
    child(tracer, outer).end();
    expect(Math.abs(milliseconds(spans()[0]!.startTime) - Date.now())).toBeLessThan(100);
  });

  it('start at the time that the application gives, and are precise from there', () => {
    const { tracer, spans } = recorder();
    const startTime = Date.now() - 5000;
    const outer = tracer.startSpan('outer', { startTime });
    child(tracer, outer).end();
    outer.addEvent('event');
    outer.end();
    const [inner, { events, ...outermost }] = spans() as [ReadableSpan, ReadableSpan];
    expect(outermost.startTime).toEqual([Math.floor(startTime / 1000), (startTime % 1000) * 1e6]);
    expect(Math.abs(milliseconds(outermost.endTime) - Date.now())).toBeLessThan(100);
    expect(nanoseconds(events[0]!.time)).toBeGreaterThanOrEqual(nanoseconds(inner.endTime));
    expect(nanoseconds(events[0]!.time)).toBeLessThanOrEqual(nanoseconds(outermost.endTime));
  });

  it('can be given as readings of the monotonic clock', () => {
    const { tracer, spans } = recorder();
    const span = tracer.startSpan('work');
    span.addEvent('event', performance.now());
    span.end(performance.now());
    const [{ startTime, endTime, events } = spans()[0]!] = spans();
    expect(nanoseconds(events[0]!.time)).toBeGreaterThanOrEqual(nanoseconds(startTime));
    expect(nanoseconds(endTime)).toBeGreaterThanOrEqual(nanoseconds(events[0]!.time));
  });

  it('are precise for early spans as well', () => {
    const early = new LibraryTracerProvider();
    early.startBuffering();
    const tracer = early.getTracer('test');
    const outer = tracer.startSpan('outer');
    const inner = child(tracer, outer, 'inner');
    inner.addEvent('event');
    inner.end();
    const { provider, spans } = recorder();
    early.use(provider.pipeline!, provider.otherProvider);
    child(tracer, outer, 'late').end();
    outer.end();
    const byName = new Map(spans().map((span) => [span.name, span]));
    expectInside(byName.get('inner')!, byName.get('outer')!);
    expectInside(byName.get('late')!, byName.get('outer')!);
    expect(spans().some(({ startTime }) => startTime[1] % 1e6 !== 0)).toBe(true);
  });
});

it('the times of spans are those of the SDK in a release with other fields', () => {
  const span = { startTime: [1, 0] };
  preciseTimes.onStart(span as never, ROOT_CONTEXT);
  expect(span).toEqual({ startTime: [1, 0] });
});

describe('the clock', () => {
  const wallTime = () => {
    const now = performance.now();
    return currentClock(now).wallTime(now);
  };

  it('differs from the clock of the system by less than a millisecond', () => {
    for (const by of [0, 86_400_000, -86_400_000, 0.5, 0]) {
      setClock(by);
      for (let index = 0; index < 1000; index++) {
        const before = Date.now();
        const time = milliseconds(wallTime());
        expect(time).toBeGreaterThan(before - 1);
        expect(time).toBeLessThan(Date.now() + 1.1);
      }
      jest.restoreAllMocks();
    }
  });

  it.each<[number, number]>([
    [0, 0.001],
    [0.5, 1700],
    [1234.5678, -0.5],
    [0.000_001, 86_400_000],
  ])('at %d ms and %d ms later are as far apart on the wall', (start, later) => {
    const clock = currentClock(performance.now());
    const [from, to] = [clock.wallTime(start), clock.wallTime(start + later)];
    expect(millisecondsBetween(from, to)).toBeCloseTo(later, 5);
    expect(clock.monotonicAt(to)).toBeCloseTo(start + later, 4);
    expect([from, to].every(([, nanoseconds]) => nanoseconds >= 0 && nanoseconds < 1e9)).toBe(true);
  });
});

it('a span that has ended does not start again', () => {
  const { spans, tracer } = builtinTracer();
  const span = tracer.startSpan('work', { startTime: [1, 0] });
  span.end([2, 0]);
  restartSpan(span);
  // The spans that an exporter of another reads have their times for good; the library computes them when it reads them.
  expect(spans()[0]).toMatchObject({ startTime: [1, 0], endTime: [2, 0], elapsed: expect.closeTo(1000) });
});
