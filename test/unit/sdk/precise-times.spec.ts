import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ROOT_CONTEXT, trace, type HrTime, type Span, type Tracer } from '@opentelemetry/api';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { addMilliseconds, millisecondsBetween, wallTime } from '../../../lib/sdk/clock.js';
import { EarlyTracerProvider } from '../../../lib/sdk/early-spans.js';
import { preciseTimes } from '../../../lib/sdk/precise-times.js';
import type { ReadableSpan } from '../../../lib/options/sdk-types.js';

const systemNow = Date.now.bind(Date);
afterEach(() => void jest.restoreAllMocks());

function recorder() {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({ spanProcessors: [preciseTimes, new SimpleSpanProcessor({ exporter })] });
  const spans = () => exporter.getFinishedSpans();
  return { provider, tracer: provider.getTracer('test'), spans };
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

describe('the times of spans', () => {
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
    const { provider, spans } = recorder();
    const early = new EarlyTracerProvider();
    early.startBuffering();
    const tracer = early.getTracer('test');
    const outer = tracer.startSpan('outer');
    const inner = child(tracer, outer, 'inner');
    inner.addEvent('event');
    inner.end();
    early.replayTo(provider);
    child(provider.getTracer('test'), outer, 'late').end();
    outer.end();
    const byName = new Map(spans().map((span) => [span.name, span]));
    expectInside(byName.get('inner')!, byName.get('outer')!);
    expectInside(byName.get('late')!, byName.get('outer')!);
    expect(spans().some(({ startTime }) => startTime[1] % 1e6 !== 0)).toBe(true);
  });

  it('are those of the SDK in a release with other fields', () => {
    const span = { startTime: [1, 0] };
    preciseTimes.onStart(span as never, ROOT_CONTEXT);
    expect(span).toEqual({ startTime: [1, 0] });
  });
});

describe('the clock', () => {
  it('differs from the clock of the system by less than a millisecond', () => {
    for (const by of [0, 86_400_000, -86_400_000, 0.5, 0]) {
      setClock(by);
      for (let index = 0; index < 1000; index++) {
        const before = Date.now();
        const time = milliseconds(wallTime(performance.now()));
        expect(time).toBeGreaterThan(before - 1);
        expect(time).toBeLessThan(Date.now() + 1.1);
      }
      jest.restoreAllMocks();
    }
  });

  it.each<[HrTime, number, HrTime]>([
    [[1, 0], 0.001, [1, 1000]],
    [[1, 999_999_999], 0.000001, [2, 0]],
    [[1, 500_000_000], 1700, [3, 200_000_000]],
    [[2, 0], -0.5, [1, 999_500_000]],
  ])('adds to %j %d ms', (time, added, expected) => {
    expect(addMilliseconds(time, added)).toEqual(expected);
    expect(millisecondsBetween(time, expected)).toBeCloseTo(added, 6);
  });
});
