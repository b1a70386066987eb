import { EventEmitter, once } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { context, createContextKey, ROOT_CONTEXT, TraceFlags, type Context } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { isTracingSuppressed } from '../../../lib/core/suppression.js';
import type { ExportSettings } from '../../../lib/export/batch-exporter.js';
import { ExportProcessor } from '../../../lib/export/export-processor.js';
import type { ExportCallback } from '../../../lib/export/export-result.js';
import { spanSize } from '../../../lib/export/span-size.js';
import type { Transport } from '../../../lib/export/transport.js';
import type { ReadableSpan, SpanExporter } from '../../../lib/options/sdk-types.js';
import { registerContextManager } from '../../../lib/sdk/globals.js';
import { recordWarnings } from '../../support/recorded-warnings.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';
import { fakeSpan } from '../sdk/fake-span.js';

const warnings = recordWarnings();
let destinations = 0;

interface ExportCall {
  readonly names: readonly string[];
  readonly done: ExportCallback;
  readonly context: Context;
  readonly at: number;
}

type Answer = (call: ExportCall) => void;

const accept: Answer = ({ done }) => done({ code: 0 });
const refuse: Answer = ({ done }) => done({ code: 1, error: new Error('refused') });
const acceptLater: Answer = ({ done }) => void setImmediate(() => done({ code: 0 }));
const neverAnswer: Answer = () => {};

/** A time that is longer than a test may take. */
const LONG = 60_000;

const spansOf = (...names: string[]) => names.map((name) => fakeSpan(name));

/** Starts a processor whose exporter gives the specified answers. */
function start(
  answer: Answer,
  settings: Partial<ExportSettings> = {},
  { exporter: rest, ...transport }: Partial<Omit<Transport, 'exporter'>> & { exporter?: Partial<SpanExporter> } = {},
) {
  const events = new EventEmitter();
  const calls: ExportCall[] = [];
  /** The events of the transport's life, in order. */
  const steps: string[] = [];
  const exporter: SpanExporter = {
    export(spans, done) {
      const call = { names: spans.map(({ name }) => name), done, context: context.active(), at: Date.now() };
      calls.push(call);
      steps.push('export');
      answer(call);
      events.emit('export');
    },
    forceFlush: () => Promise.resolve(void steps.push('flush')),
    shutdown: () => Promise.resolve(void steps.push('shutdown')),
    ...rest,
  };
  const processor = new ExportProcessor(
    {
      exporter,
      stopRetrying: () => void steps.push('stopRetrying'),
      close: () => void steps.push('close'),
      ...transport,
    },
    `backend-${++destinations}`,
    {
      maxSpans: 10_000,
      maxBytes: Infinity,
      maxBatchSize: 3,
      delay: LONG,
      exportTimeout: LONG,
      shutdownTimeout: LONG,
      ...settings,
    },
  );
  const { queue } = processor;
  return {
    calls,
    steps,
    processor,
    queue,
    outcomes: queue.outcomes,
    destination: queue.outcomes.destination,
    names: () => calls.map(({ names }) => names),
    end: (...spans: (string | ReadableSpan)[]) => {
      for (const span of spans) processor.onEnd(typeof span === 'string' ? fakeSpan(span) : span);
    },
    /** Waits until this number of exports has started. */
    started: async (count: number) => {
      while (calls.length < count) await once(events, 'export');
    },
  };
}

/** Gives everything that needs no timer the time to happen. */
async function allTurns(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await nextTurn();
}

async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let isDone = false;
  void promise.then(() => (isDone = true));
  await allTurns();
  return !isDone;
}

async function timed(work: Promise<unknown>): Promise<number> {
  const started = Date.now();
  await work;
  return Date.now() - started;
}

/** Lets a test advance the timers of delays and time limits. Everything else runs in real time. */
function fakeDelays(): void {
  jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'performance', 'queueMicrotask', 'setImmediate'] });
}

const withoutFlush = (steps: readonly string[]) => steps.filter((step) => step !== 'flush');

function unsampled(name: string): ReadableSpan {
  const span = fakeSpan(name);
  const spanContext = { ...span.spanContext(), traceFlags: TraceFlags.NONE };
  return { ...span, spanContext: () => spanContext };
}

afterEach(() => {
  jest.useRealTimers();
});

describe('ExportProcessor', () => {
  // The first test: exports of another one could start a timer in its time.
  it('leaves no timer after its shutdown', async () => {
    fakeDelays();
    const { end, outcomes, processor } = start(accept);
    end('a');
    await processor.shutdown();
    expect(outcomes.exported).toBe(1);
    expect(jest.getTimerCount()).toBe(0);
  });

  describe('in batches', () => {
    it('waits for a full batch, and exports it after the code that has ended the last span', async () => {
      const { calls, end, names, queue, started } = start(accept);
      end('a', 'b');
      await allTurns();
      expect(calls).toEqual([]);
      end('c', 'd');
      expect(calls).toEqual([]);
      await started(1);
      await allTurns();
      expect(names()).toEqual([['a', 'b', 'c']]);
      expect(queue).toMatchObject({ waiting: 1, underWay: 0, outcomes: { exported: 3, failed: 0 } });
      expect(warnings).toEqual([]);
    });

    it('exports fewer spans when they have waited as long as they may', async () => {
      const { calls, end, names, started } = start(accept, { delay: 20 });
      const ended = Date.now();
      end('a', 'b');
      await started(1);
      expect(names()).toEqual([['a', 'b']]);
      // Timers and the clock round differently.
      expect(calls[0]!.at - ended).toBeGreaterThanOrEqual(18);
      end('c');
      await started(2);
      expect(names()).toEqual([['a', 'b'], ['c']]);
    });

    it('exports the first spans after a second at most, and later ones after their delay', async () => {
      fakeDelays();
      const { end, names } = start(accept, { delay: 5000 });
      end('first');
      await jest.advanceTimersByTimeAsync(999);
      await allTurns();
      expect(names()).toEqual([]);
      await jest.advanceTimersByTimeAsync(1);
      await allTurns();
      expect(names()).toEqual([['first']]);
      end('second');
      await jest.advanceTimersByTimeAsync(4999);
      await allTurns();
      expect(names()).toEqual([['first']]);
      await jest.advanceTimersByTimeAsync(1);
      await allTurns();
      expect(names()).toEqual([['first'], ['second']]);
    });

    it('exports spans after their delay that have ended while an export was under way', async () => {
      const { calls, end, names, started } = start(neverAnswer, { delay: 1 });
      end('a');
      await started(1);
      end('b');
      calls[0]!.done({ code: 0 });
      await started(2);
      expect(names()).toEqual([['a'], ['b']]);
    });

    it('exports the spans that are left over from full batches after their delay', async () => {
      const { end, names, started } = start(accept, { delay: 5 });
      end('a', 'b', 'c', 'd');
      await started(2);
      expect(names()).toEqual([['a', 'b', 'c'], ['d']]);
    });

    it('exports a span after its delay that has ended while a full batch waited', async () => {
      fakeDelays();
      const timers = jest.spyOn(globalThis, 'setTimeout');
      const { calls, end, names, started } = start(neverAnswer, { delay: 1000, maxBatchSize: 2 });
      end('a');
      jest.advanceTimersByTime(1000);
      await started(1);
      end('b');
      jest.advanceTimersByTime(1000);
      // From here on, no timer runs: a full batch waits for the answer.
      end('c', 'd');
      calls[0]!.done({ code: 0 });
      await started(2);
      calls[1]!.done({ code: 0 });
      await allTurns();
      expect(names()).toEqual([['a'], ['b', 'c']]);
      jest.advanceTimersByTime(1000);
      await started(3);
      expect(names()[2]).toEqual(['d']);
      expect(timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef())).not.toContain(true);
    });

    it('exports batches that are small enough for one message', async () => {
      const { end, names, processor } = start(
        accept,
        { maxBatchSize: 10 },
        { maxMessageBytes: 2 * spanSize(fakeSpan('a')) },
      );
      end('a', 'b', fakeSpan('large', { attributes: { text: 'x'.repeat(10_000) } }), 'c', 'd', 'e');
      await processor.forceFlush();
      expect(names()).toEqual([['a', 'b'], ['large'], ['c', 'd'], ['e']]);
    });

    it('counts only the spans of the batches that fail', async () => {
      const { end, outcomes, processor } = start((call) => (call.names.includes('b1') ? refuse : accept)(call));
      end('a1', 'a2', 'a3', 'b1', 'b2', 'b3', 'c1');
      await processor.forceFlush();
      expect(outcomes).toMatchObject({ exported: 4, failed: 3 });
    });

    it('drops spans for which the queue has no room, and warns', async () => {
      const { destination, end, names, outcomes, processor } = start(accept, { maxSpans: 2 });
      end('a', 'b', 'c');
      await processor.forceFlush();
      expect(names()).toEqual([['a', 'b']]);
      expect(outcomes).toMatchObject({ exported: 2, dropped: 1 });
      expect(warnings).toEqual([
        expect.stringContaining(`A span is dropped: 2 already wait for their export to ${destination}.`),
      ]);
    });

    it('does not take spans that are not sampled', async () => {
      const { end, names, processor, queue } = start(accept);
      end('a', unsampled('b'), 'c');
      await processor.forceFlush();
      expect(names()).toEqual([['a', 'c']]);
      expect(queue.acceptedTotal).toBe(2);
    });

    it('exports any number of batches that are answered at once', async () => {
      const { end, outcomes, processor } = start(accept, { maxBatchSize: 1 });
      for (let index = 0; index < 5000; index++) end('a');
      await processor.forceFlush();
      expect(outcomes.exported).toBe(5000);
    });

    it('goes on after an exporter that throws, rejects or does not answer', async () => {
      const answers: Answer[] = [
        () => {
          throw new Error('broken');
        },
        neverAnswer,
        refuse,
        accept,
      ];
      const { end, outcomes, processor } = start((call) => answers.shift()!(call), {
        maxBatchSize: 1,
        exportTimeout: 5,
      });
      end('a', 'b', 'c', 'd');
      await processor.forceFlush();
      expect(outcomes).toMatchObject({ exported: 1, failed: 3 });
    });

    it('keeps no process alive by its timers', async () => {
      const timers = jest.spyOn(globalThis, 'setTimeout');
      const { calls, end, queue, started } = start(neverAnswer);
      // One timer is for the delay, one for the answer, and one more for the remaining span.
      end('a');
      expect(timers).toHaveBeenCalledTimes(1);
      end('b', 'c');
      await started(1);
      expect(timers).toHaveBeenCalledTimes(2);
      end('d');
      calls[0]!.done({ code: 0 });
      await allTurns();
      expect(queue.waiting).toBe(1);
      const refs = timers.mock.results.map(({ value }) => (value as NodeJS.Timeout).hasRef());
      expect(refs).not.toContain(true);
    });
  });

  describe('with a limit of exports at a time', () => {
    it('exports one batch at a time, and the next when it is answered, whatever the answer is', async () => {
      const { calls, end, names, started } = start(neverAnswer, { maxBatchSize: 1 });
      end('a', 'b', 'c');
      for (const [index, code] of [0, 1, 0].entries()) {
        await started(index + 1);
        await allTurns();
        expect(calls).toHaveLength(index + 1);
        calls[index]!.done({ code });
      }
      expect(names()).toEqual([['a'], ['b'], ['c']]);
    });

    it('exports as many at a time as the transport allows, in the order of the spans', async () => {
      const { calls, end, names, outcomes, processor, queue, started } = start(
        neverAnswer,
        { maxBatchSize: 1 },
        { maxConcurrent: 4 },
      );
      end('a', 'b', 'c', 'd', 'e', 'f');
      await started(4);
      await allTurns();
      expect(names()).toEqual([['a'], ['b'], ['c'], ['d']]);
      expect(queue).toMatchObject({ underWay: 4, waiting: 2, takenTotal: 4 });
      calls[1]!.done({ code: 0 });
      await started(5);
      await allTurns();
      expect(names().slice(4)).toEqual([['e']]);
      calls[4]!.done({ code: 1 });
      await started(6);
      for (const { done } of calls) done({ code: 0 });
      await processor.forceFlush();
      expect(outcomes).toMatchObject({ exported: 5, failed: 1 });
    });

    it.each([1, 3])('never has more than %i exports under way, under any load', async (maxConcurrent) => {
      let underWay = 0;
      let most = 0;
      const { end, outcomes, processor } = start(
        ({ done, names }) => {
          // Halves of a batch are exports of their own.
          if (names.length > 1 && names.includes('bad')) throw new Error('cannot be encoded');
          most = Math.max(most, ++underWay);
          setImmediate(() => {
            underWay--;
            done({ code: names.includes('bad') ? 1 : 0 });
          });
        },
        { maxBatchSize: 4, delay: 1 },
        { maxConcurrent },
      );
      for (let round = 0; round < 30; round++) {
        end('a', 'bad', ...Array.from({ length: round % 7 }, () => 'b'));
        await nextTurn();
        if (round % 10 === 0) void processor.forceFlush();
      }
      await processor.forceFlush();
      expect(most).toBe(maxConcurrent);
      expect(outcomes.failed).toBe(30);
      expect(outcomes.exported).toBe(processor.queue.acceptedTotal - 30);
    });
  });

  describe('forceFlush()', () => {
    it('exports everything that has ended, then flushes the exporter', async () => {
      const { end, names, processor, queue, steps } = start(acceptLater);
      end('a', 'b', 'c', 'd', 'e', 'f', 'g');
      await processor.forceFlush();
      expect(names()).toEqual([['a', 'b', 'c'], ['d', 'e', 'f'], ['g']]);
      expect(queue).toMatchObject({ waiting: 0, underWay: 0, outcomes: { exported: 7 } });
      expect(steps).toEqual(['export', 'export', 'export', 'flush']);
    });

    it('resolves when there is nothing to export', async () => {
      const { calls, processor } = start(neverAnswer);
      await processor.forceFlush();
      expect(calls).toEqual([]);
    });

    it('waits for exports that are under way', async () => {
      const { calls, end, processor, started } = start(neverAnswer, {}, { maxConcurrent: 2 });
      end('a', 'b', 'c');
      await started(1);
      const flushed = processor.forceFlush();
      expect(await isPending(flushed)).toBe(true);
      calls[0]!.done({ code: 0 });
      await flushed;
    });

    it('resolves although exports fail or the exporter cannot be flushed, and warns', async () => {
      const forceFlush = () => Promise.reject(new Error('gone'));
      const { destination, end, processor } = start(refuse, {}, { exporter: { forceFlush } });
      end('a');
      await processor.forceFlush();
      expect(warnings).toEqual([
        `1 span is lost: the export to ${destination} failed (Error: refused).`,
        `The exporter to ${destination} failed to flush (Error: gone).`,
      ]);
    });

    it('resolves under constant load, when everything that had ended before is exported', async () => {
      const { calls, end, outcomes, processor, queue } = start(acceptLater, { maxSpans: 1e6 });
      end(...Array.from({ length: 20 }, (_, index) => `early ${index}`));
      const load = new AbortController();
      const flush = async () => {
        await processor.forceFlush();
        load.abort();
        return outcomes.exported;
      };
      const flushed = flush();
      // More spans end in each turn than an exporter takes that answers a turn later.
      for (let turn = 0; turn < 2000 && !load.signal.aborted; turn++) {
        end('late', 'late', 'late', 'late', 'late', 'late');
        await nextTurn();
      }
      expect(load.signal.aborted).toBe(true);
      const exported = await flushed;
      expect(exported).toBeGreaterThanOrEqual(20);
      expect(queue.waiting).toBeGreaterThan(0);
      const names = calls.flatMap((call) => call.names).slice(0, 20);
      expect(names).toEqual(Array.from({ length: 20 }, (_, index) => `early ${index}`));
    });

    it('leaves spans that end later to wait for their batch', async () => {
      const { calls, end, names, processor, started } = start(neverAnswer);
      end('a', 'b');
      const flushed = processor.forceFlush();
      await started(1);
      end('c');
      calls[0]!.done({ code: 0 });
      await flushed;
      await allTurns();
      expect(names()).toEqual([['a', 'b']]);
    });

    it('may be called several times at once', async () => {
      const { end, outcomes, processor } = start(acceptLater);
      end('a');
      const first = processor.forceFlush();
      end('b');
      const second = processor.forceFlush();
      await second;
      expect(outcomes.exported).toBe(2);
      await first;
    });
  });

  describe('shutdown()', () => {
    it('exports everything, shuts the exporter down and closes the connections, in this order and once', async () => {
      const { end, names, outcomes, processor, steps } = start(acceptLater);
      end('a', 'b', 'c', 'd');
      await Promise.all([processor.shutdown(), processor.shutdown()]);
      await processor.shutdown();
      expect(names()).toEqual([['a', 'b', 'c'], ['d']]);
      expect(withoutFlush(steps)).toEqual(['stopRetrying', 'export', 'export', 'shutdown', 'close']);
      expect(outcomes).toMatchObject({ exported: 4, failed: 0 });
      expect(warnings).toEqual([]);
    });

    it('shuts the exporter down after exports that are under way, and takes no more spans', async () => {
      const { calls, end, processor, queue, started, steps } = start(neverAnswer);
      end('a', 'b', 'c');
      await started(1);
      const closed = processor.shutdown();
      end('d', 'e', 'f');
      expect(await isPending(closed)).toBe(true);
      expect(steps).not.toContain('shutdown');
      calls[0]!.done({ code: 0 });
      await closed;
      end('g', 'h', 'i');
      await processor.forceFlush();
      await allTurns();
      expect(calls).toHaveLength(1);
      expect(queue).toMatchObject({ acceptedTotal: 3, waiting: 0, outcomes: { exported: 3, dropped: 0 } });
    });

    it('takes a limited time if the exporter never answers, and counts everything as failed', async () => {
      const timers = jest.spyOn(globalThis, 'setTimeout');
      const cleared = jest.spyOn(globalThis, 'clearTimeout');
      const { calls, destination, end, outcomes, processor, queue, started, steps } = start(
        neverAnswer,
        { shutdownTimeout: 30 },
        { maxConcurrent: 2, exporter: { shutdown: () => (steps.push('shutdown'), new Promise<void>(() => {})) } },
      );
      end(...Array.from({ length: 20 }, () => 'a'));
      await started(2);
      expect(await timed(processor.shutdown())).toBeLessThan(2000);
      expect(outcomes).toMatchObject({ exported: 0, failed: 20, dropped: 0 });
      expect(queue).toMatchObject({ waiting: 0, underWay: 0, acceptedTotal: 20 });
      expect(warnings).toEqual([
        `3 spans are lost: the export to ${destination} failed (Error: not done within 30 ms at shutdown).`,
        `20 spans to ${destination} are lost: 0 found no room to wait, the export of 20 failed; 0 have arrived.`,
      ]);
      await processor.shutdown();
      expect(withoutFlush(steps)).toEqual(['export', 'export', 'stopRetrying', 'shutdown', 'close']);

      // Late answers change nothing, and start nothing.
      for (const { done } of calls) done({ code: 0 });
      await allTurns();
      expect(calls).toHaveLength(2);
      expect(outcomes).toMatchObject({ exported: 0, failed: 20 });
      const alive = timers.mock.results.map(({ value }) => value as NodeJS.Timeout).filter((timer) => timer.hasRef());
      for (const timer of alive) expect(cleared).toHaveBeenCalledWith(timer);
    });

    it('counts the parts of a batch as failed that wait for another part, and exports none of them later', async () => {
      const { end, outcomes, processor, queue, steps } = start(
        ({ names }) => {
          if (names.length > 1) throw new Error('cannot be encoded');
        },
        { maxBatchSize: 4, shutdownTimeout: 30 },
      );
      end('a', 'b', 'c', 'd');
      await processor.shutdown();
      expect(queue).toMatchObject({ waiting: 0, underWay: 0 });
      expect(outcomes).toMatchObject({ exported: 0, failed: 4 });
      await allTurns();
      // The batch, its first half, and the first span of that.
      expect(withoutFlush(steps)).toEqual(['stopRetrying', 'export', 'export', 'export', 'shutdown', 'close']);
    });

    it('does not flush the exporter after it has shut it down', async () => {
      const { end, processor, started, steps } = start(neverAnswer, { shutdownTimeout: 20 });
      end('a', 'b', 'c');
      await started(1);
      await processor.shutdown();
      await allTurns();
      expect(steps.slice(steps.indexOf('shutdown'))).toEqual(['shutdown', 'close']);
    });

    it('waits for pending exports', async () => {
      const { calls, end, outcomes, processor, started } = start(neverAnswer);
      end('a', 'b', 'c');
      await started(1);
      const closed = processor.shutdown();
      expect(await isPending(closed)).toBe(true);
      calls[0]!.done({ code: 0 });
      await closed;
      expect(outcomes).toMatchObject({ exported: 3, failed: 0 });
    });

    it('resolves although the exporter and the connections fail to close, and warns', async () => {
      const { destination, processor } = start(
        accept,
        {},
        {
          exporter: { shutdown: () => Promise.reject(new Error('gone')) },
          close() {
            throw new Error('no socket');
          },
        },
      );
      await processor.shutdown();
      expect(warnings).toEqual([
        `The exporter to ${destination} failed to shut down (Error: gone).`,
        `The connection to ${destination} failed to close (Error: no socket).`,
      ]);
    });

    it('works with an exporter alone', async () => {
      const done = jest.fn();
      const exporter: SpanExporter = {
        export: (spans, callback) => (done(spans.length), callback({ code: 0 })),
        shutdown: () => Promise.resolve(),
      };
      const settings = { maxSpans: 10, maxBytes: 1e6, maxBatchSize: 5, delay: LONG };
      const processor = new ExportProcessor({ exporter }, 'the backend', {
        ...settings,
        exportTimeout: LONG,
        shutdownTimeout: LONG,
      });
      processor.onStart(fakeSpan('started'));
      processor.onEnd(fakeSpan('a'));
      await processor.flushBeforeExit();
      processor.onEnd(fakeSpan('b'));
      await processor.shutdown();
      expect(done.mock.calls).toEqual([[1], [1]]);
    });
  });

  describe('flushBeforeExit()', () => {
    it('stops retries, exports everything, and goes on working', async () => {
      const { end, names, outcomes, processor, steps } = start(acceptLater);
      end('a', 'b', 'c', 'd');
      await processor.flushBeforeExit();
      expect(names()).toEqual([['a', 'b', 'c'], ['d']]);
      expect(withoutFlush(steps)).toEqual(['stopRetrying', 'export', 'export']);
      end('e');
      await processor.flushBeforeExit();
      expect(names()).toEqual([['a', 'b', 'c'], ['d'], ['e']]);
      expect(outcomes).toMatchObject({ exported: 5, failed: 0 });
      expect(steps).not.toContain('close');
      expect(warnings).toEqual([]);
    });

    it('takes a limited time if the exporter never answers, counts everything as failed and closes once', async () => {
      const { calls, destination, end, outcomes, processor, queue, started, steps } = start(neverAnswer, {
        shutdownTimeout: 30,
      });
      end('a', 'b', 'c', 'd');
      await started(1);
      expect(await timed(processor.flushBeforeExit())).toBeLessThan(2000);
      expect(queue).toMatchObject({ waiting: 0, underWay: 0 });
      expect(outcomes).toMatchObject({ exported: 0, failed: 4 });
      expect(withoutFlush(steps)).toEqual(['export', 'stopRetrying', 'close']);
      expect(warnings[0]).toBe(
        `3 spans are lost: the export to ${destination} failed (Error: not done within 30 ms before the process ends).`,
      );
      calls[0]!.done({ code: 0 });
      await allTurns();
      expect(calls).toHaveLength(1);
    });

    it('warns of the total of lost spans', async () => {
      const { destination, end, processor } = start(refuse, { maxBatchSize: 1 });
      end('a', 'b');
      await processor.flushBeforeExit();
      expect(warnings.at(-1)).toBe(
        `2 spans to ${destination} are lost: 0 found no room to wait, the export of 2 failed; 0 have arrived.`,
      );
    });
  });

  describe('with a resource whose attributes are not there yet', () => {
    function pendingResource() {
      let resolve: () => void = () => {};
      let reject: (error: unknown) => void = () => {};
      const attributes = new Promise<void>((...functions) => ([resolve, reject] = functions));
      const resource = {
        attributes: {},
        asyncAttributesPending: true,
        waitForAsyncAttributes(this: { asyncAttributesPending: boolean }) {
          return attributes.then(() => void (this.asyncAttributesPending = false));
        },
      } as unknown as ReadableSpan['resource'];
      return { resolve, reject, span: (name: string) => fakeSpan(name, { resource }) };
    }

    it.each([
      ['in batches', LONG],
      ['at once', undefined],
    ])('waits for them before it exports %s', async (_what, delay) => {
      const { calls, end, processor } = start(accept, { delay });
      const { resolve, span } = pendingResource();
      end(span('a'));
      const flushed = processor.forceFlush();
      expect(await isPending(flushed)).toBe(true);
      expect(calls).toEqual([]);
      resolve();
      await flushed;
      expect(calls).toHaveLength(1);
    });

    it('exports without them if they cannot be had, and warns', async () => {
      const { end, outcomes, processor } = start(accept);
      const { reject, span } = pendingResource();
      end(span('a'));
      const flushed = processor.forceFlush();
      expect(await isPending(flushed)).toBe(true);
      reject(new Error('no cloud'));
      await flushed;
      expect(outcomes).toMatchObject({ exported: 1, failed: 0 });
      expect(warnings).toEqual([expect.stringContaining('A resource detector threw and was ignored: Error: no cloud')]);
    });

    it('exports without them if the resource throws', async () => {
      const { end, outcomes, processor } = start(accept);
      const resource = {
        attributes: {},
        asyncAttributesPending: true,
        waitForAsyncAttributes() {
          throw new Error('no cloud');
        },
      } as unknown as ReadableSpan['resource'];
      const unhandled = await unhandledRejections(async () => {
        end(fakeSpan('a', { resource }));
        await processor.forceFlush();
      });
      expect(unhandled).toEqual([]);
      expect(outcomes).toMatchObject({ exported: 1, failed: 0 });
    });

    it.each([
      ['shutdown()', (processor: ExportProcessor) => processor.shutdown()],
      ['flushBeforeExit()', (processor: ExportProcessor) => processor.flushBeforeExit()],
    ])('counts the spans as failed that still wait for them at the end of %s', async (_what, finish) => {
      const { calls, end, outcomes, processor, queue } = start(accept, { shutdownTimeout: 20 });
      const { resolve, span } = pendingResource();
      end(span('a'), span('b'));
      await finish(processor);
      expect(queue).toMatchObject({ waiting: 0, underWay: 0 });
      expect(outcomes).toMatchObject({ exported: 0, failed: 2 });
      // The exporter and its connections are closed: nothing may reach it.
      resolve();
      await allTurns();
      expect(calls).toEqual([]);
      expect(outcomes).toMatchObject({ exported: 0, failed: 2 });
    });
  });

  describe('without a delay', () => {
    it('exports each span when it ends', () => {
      const { end, names, outcomes } = start(accept, { delay: undefined });
      end('a');
      expect(names()).toEqual([['a']]);
      end('b', 'c', 'd', 'e');
      expect(names()).toEqual([['a'], ['b'], ['c'], ['d'], ['e']]);
      expect(outcomes).toMatchObject({ exported: 5, failed: 0 });
    });

    it('exports any number of spans at a time, and a flush waits for all', async () => {
      const { calls, end, outcomes, processor, queue } = start(neverAnswer, { delay: undefined });
      for (let index = 0; index < 100; index++) end('a');
      expect(calls).toHaveLength(100);
      expect(queue).toMatchObject({ waiting: 0, underWay: 100 });
      const flushed = processor.forceFlush();
      for (const { done } of calls.slice(1)) done({ code: 0 });
      expect(await isPending(flushed)).toBe(true);
      calls[0]!.done({ code: 1 });
      await flushed;
      expect(outcomes).toMatchObject({ exported: 99, failed: 1 });
    });

    it('does not throw what the exporter throws', () => {
      const { end, outcomes } = start(
        () => {
          throw new Error('broken');
        },
        { delay: undefined },
      );
      expect(() => end('a')).not.toThrow();
      expect(outcomes.failed).toBe(1);
    });

    it('takes no span that is not sampled, and none after the shutdown', async () => {
      const { calls, end, processor } = start(accept, { delay: undefined });
      end(unsampled('a'));
      await processor.shutdown();
      end('b');
      expect(calls).toEqual([]);
    });
  });

  describe('with an active context', () => {
    const KEY = createContextKey('test');
    let unregister: () => void;
    beforeEach(() => {
      unregister = registerContextManager();
    });
    afterEach(() => unregister());

    it.each([
      ['at once', undefined, 1],
      ['after the delay', 1, 10],
      ['in full batches', LONG, 1],
    ])('exports %s outside of it, and without tracing', async (_what, delay, maxBatchSize) => {
      const { calls, end, processor, started } = start(acceptLater, { delay, maxBatchSize });
      context.with(ROOT_CONTEXT.setValue(KEY, 'a request'), () => {
        end(...spansOf('a', 'b', 'c'));
        expect(context.active().getValue(KEY)).toBe('a request');
      });
      await started(maxBatchSize === 1 ? 3 : 1);
      await context.with(ROOT_CONTEXT.setValue(KEY, 'a request'), () => {
        end('d');
        return processor.forceFlush();
      });
      expect(calls.flatMap(({ names }) => names)).toEqual(['a', 'b', 'c', 'd']);
      for (const { context } of calls) {
        expect(context.getValue(KEY)).toBeUndefined();
        expect(isTracingSuppressed(context)).toBe(true);
      }
    });

    it('exports the parts of a batch outside of it', async () => {
      const { calls, end, processor } = start((call) => {
        if (call.names.length > 1) throw new Error('cannot be encoded');
        acceptLater(call);
      });
      await context.with(ROOT_CONTEXT.setValue(KEY, 'a request'), () => {
        end('a', 'b', 'c');
        return processor.forceFlush();
      });
      expect(calls).toHaveLength(5);
      for (const { context } of calls) {
        expect(context.getValue(KEY)).toBeUndefined();
        expect(isTracingSuppressed(context)).toBe(true);
      }
    });
  });
});

describe('a transport that prepares spans', () => {
  const settings = {
    maxSpans: 2,
    maxBytes: Infinity,
    maxBatchSize: 10,
    delay: 60_000,
    exportTimeout: 1000,
    shutdownTimeout: 1000,
  };

  it('gets them as they were when they ended, and loses only those that cannot be prepared', async () => {
    const exported: string[][] = [];
    const transport: Transport<{ text: string; estimatedSize: number }> = {
      prepare({ name }) {
        if (name === 'bad') throw new Error('no way');
        return { text: name, estimatedSize: 1 };
      },
      exporter: {
        export(items, done) {
          exported.push(items.map(({ text }) => text));
          done({ code: 0 });
        },
        shutdown: () => Promise.resolve(),
      },
    };
    const processor = new ExportProcessor(transport, 'a preparing backend', settings);
    const first = fakeSpan('first');
    for (const span of [first, fakeSpan('bad'), fakeSpan('second'), fakeSpan('third')]) processor.onEnd(span);
    Object.assign(first, { name: 'changed' });
    await processor.forceFlush();
    expect(exported).toEqual([['first', 'second']]);
    expect(processor.queue).toMatchObject({ acceptedTotal: 3, takenTotal: 3, waiting: 0, underWay: 0 });
    expect(processor.queue.outcomes).toMatchObject({ exported: 2, failed: 1, dropped: 1 });
    await processor.shutdown();
  });

  it('is not asked to prepare a span for which there is no room', () => {
    const prepared: string[] = [];
    const transport: Transport<{ estimatedSize: number }> = {
      prepare({ name }) {
        prepared.push(name);
        return { estimatedSize: 1 };
      },
      exporter: { export() {}, shutdown: () => Promise.resolve() },
    };
    const processor = new ExportProcessor(transport, 'a full backend', settings);
    for (const name of ['a', 'b', 'c', 'd']) processor.onEnd(fakeSpan(name));
    expect(prepared).toEqual(['a', 'b']);
    expect(processor.queue.outcomes.dropped).toBe(2);
  });
});

describe('a backend that leaves exports without an answer', () => {
  /** Ends spans until all places are taken, and one more waits. */
  function startSilent(isSilentFor: (time: number) => boolean) {
    fakeDelays();
    const started = start(neverAnswer, { maxBatchSize: 1 }, { maxConcurrent: 2, isSilentFor });
    started.end(...Array.from({ length: 30 }, (_, index) => `${index}`));
    return started;
  }

  it('is sent one more export every two seconds, so that it is soon noticed when it is back', async () => {
    const times: number[] = [];
    const { calls, names, queue } = startSilent((time) => times.push(time) > 0);
    await allTurns();
    expect(names()).toEqual([['0'], ['1']]);
    for (const total of [3, 4]) {
      await jest.advanceTimersByTimeAsync(2000);
      await allTurns();
      expect(calls).toHaveLength(total);
    }
    expect(times).toEqual([2000, 2000]);
    expect(queue).toMatchObject({ waiting: 26, underWay: 4 });
    // The answer to the last one says that there is a backend. The places of the others are still taken.
    calls[3]!.done({ code: 0 });
    await jest.advanceTimersByTimeAsync(1999);
    await allTurns();
    expect(calls).toHaveLength(4);
    await jest.advanceTimersByTimeAsync(1);
    await allTurns();
    expect(calls).toHaveLength(5);
  });

  it('is not sent more while exports wait for their next attempt', async () => {
    const { calls } = startSilent(() => false);
    await allTurns();
    await jest.advanceTimersByTimeAsync(20_000);
    await allTurns();
    expect(calls).toHaveLength(2);
  });

  it('is not sent ever more', async () => {
    const { calls } = startSilent(() => true);
    for (let probe = 0; probe < 25; probe++) {
      await allTurns();
      await jest.advanceTimersByTimeAsync(2000);
    }
    expect(calls).toHaveLength(16);
  });
});
