import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { ExportCallback, ExportResult } from '../../../lib/export/export-result.js';
import { GuardedExporter } from '../../../lib/export/guarded-exporter.js';
import { SpanQueue, type Failure } from '../../../lib/export/span-queue.js';
import type { ReadableSpan, SpanExporter } from '../../../lib/options/sdk-types.js';
import { recordWarnings } from '../../support/recorded-warnings.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';
import { fakeSpan } from '../sdk/fake-span.js';

const warnings = recordWarnings();
let destinations = 0;

afterEach(() => {
  jest.useRealTimers();
});

const fail = () => {
  throw new Error('do not touch');
};

/** A value whose every use throws. */
function hostile(): Error {
  return new Proxy(new Error('hostile'), { get: fail, has: fail, getPrototypeOf: fail, ownKeys: fail });
}

/** Guards an exporter with the given behaviour, and sends it the spans of a queue. */
function guard(
  behaviour: (done: ExportCallback, spans: ReadableSpan[]) => unknown,
  rest: Partial<SpanExporter> = {},
  timeout = 60_000,
) {
  const exporter: SpanExporter = {
    export: (spans, done) => behaviour(done, spans) as void,
    shutdown: () => Promise.resolve(),
    ...rest,
  };
  // A warning says how many of its kind and destination were left out before.
  const destination = `backend-${++destinations}`;
  const guarded = new GuardedExporter<ReadableSpan>(exporter, destination, timeout);
  const queue = new SpanQueue<ReadableSpan>(destination, { maxSpans: 10_000, maxBytes: Infinity });
  /** Exports spans. Returns each call of the callback: there must be one. */
  const sendSpans = (spans: readonly ReadableSpan[]) => {
    for (const span of spans) queue.add(span);
    const batch = queue.take(Infinity, Infinity);
    const answers: (readonly Failure[])[] = [];
    guarded.export(batch.spans, (failures) => {
      answers.push(failures);
      queue.settle(batch, failures);
    });
    return answers;
  };
  const send = (count = 1) => sendSpans(Array.from({ length: count }, () => fakeSpan('a')));
  return { destination, guarded, queue, outcomes: queue.outcomes, send, sendSpans };
}

describe('GuardedExporter', () => {
  it('calls back without a failure when all spans have arrived, and does not warn', () => {
    const { outcomes, send } = guard((done) => done({ code: 0 }));
    expect(send(3)).toEqual([[]]);
    expect(outcomes).toMatchObject({ exported: 3, failed: 0 });
    expect(warnings).toEqual([]);
  });

  it.each<[what: string, behaviour: (done: ExportCallback) => unknown, reason: string]>([
    ['calls back with an error', (done) => done({ code: 1, error: new TypeError('bad') }), 'TypeError: bad'],
    ['calls back without an error', (done) => done({ code: 1 }), 'the exporter gives no reason'],
    [
      'calls back with an error for each address',
      (done) =>
        done({ code: 1, error: new AggregateError([new Error('refused ::1'), new Error('refused 127.0.0.1')]) }),
      'Error: refused ::1, Error: refused 127.0.0.1',
    ],
    [
      'throws an error',
      () => {
        throw new Error('broken');
      },
      'Error: broken',
    ],
    [
      'throws a text',
      () => {
        throw 'broken';
      },
      'broken',
    ],
    [
      'throws nothing',
      () => {
        throw undefined;
      },
      'the exporter gives no reason',
    ],
    [
      'throws an error that cannot be read',
      () => {
        throw hostile();
      },
      'an error that cannot be described',
    ],
  ])('counts the spans of an exporter as failed that %s, and warns once', (_what, behaviour, reason) => {
    const { destination, outcomes, queue, send } = guard(behaviour);
    for (let index = 0; index < 2; index++) {
      const answers = send();
      expect(answers.map((failures) => failures.map(({ count }) => count))).toEqual([[1]]);
    }
    expect(queue.underWay).toBe(0);
    expect(outcomes).toMatchObject({ exported: 0, failed: 2 });
    expect(warnings).toEqual([`1 span is lost: the export to ${destination} failed (${reason}).`]);
  });

  it.each<[what: string, result: unknown, reason: string]>([
    ['nothing', undefined, 'Error: the exporter called back without a result'],
    ['null', null, 'Error: the exporter called back without a result'],
    ['an object without a code', {}, 'Error: the exporter called back without a result'],
    ['an unknown code', { code: 7 }, 'Error: the exporter called back without a result'],
    ['a text', 'done', 'Error: the exporter called back without a result'],
    ['an error without a code', { error: new TypeError('bad') }, 'TypeError: bad'],
    ['an error that cannot be read', { code: 1, error: hostile() }, 'an error that cannot be described'],
    ['a code that cannot be read', hostile(), 'Error: do not touch'],
  ])('takes %s for a failure', (_what, result, reason) => {
    const { destination, outcomes, queue, send } = guard((done) => done(result as ExportResult));
    expect(send(3)).toHaveLength(1);
    expect(queue.underWay).toBe(0);
    expect(outcomes).toMatchObject({ exported: 0, failed: 3 });
    expect(warnings).toEqual([`3 spans are lost: the export to ${destination} failed (${reason}).`]);
  });

  it('counts the spans once, and does not throw, if the number of rejected spans cannot be read', () => {
    let done: ExportCallback = () => {};
    const { outcomes, queue, send } = guard((callback) => void (done = callback));
    const answers = send(3);
    const result = Object.defineProperty({ code: 0 }, 'rejected', { get: fail });
    expect(() => done(result)).not.toThrow();
    expect(answers).toHaveLength(1);
    expect(queue.underWay).toBe(0);
    expect(outcomes.exported + outcomes.failed).toBe(3);
  });

  it.each<[what: string, reason: unknown, message: string]>([
    ['an error', new Error('refused'), 'Error: refused'],
    ['an error that cannot be read', hostile(), 'an error that cannot be described'],
    ['nothing', undefined, 'the exporter gives no reason'],
  ])('counts an async export as failed that rejects with %s', async (_what, reason, message) => {
    const { destination, outcomes, queue, send } = guard(() => Promise.reject(reason));
    let answers: unknown;
    expect(await unhandledRejections(() => void (answers = send()))).toEqual([]);
    expect(answers).toHaveLength(1);
    expect(queue.underWay).toBe(0);
    expect(outcomes).toMatchObject({ exported: 0, failed: 1 });
    expect(warnings).toEqual([`1 span is lost: the export to ${destination} failed (${message}).`]);
  });

  it('counts an async export by its answer, and ignores a later rejection', async () => {
    const { outcomes, send } = guard((done) => {
      done({ code: 0 });
      return Promise.reject(new Error('after the answer'));
    });
    expect(await unhandledRejections(() => void send(2))).toEqual([]);
    expect(outcomes).toMatchObject({ exported: 2, failed: 0 });
    expect(warnings).toEqual([]);
  });

  it('waits for the answer of an async export that has resolved', async () => {
    const { queue, send } = guard(() => Promise.resolve());
    expect(await unhandledRejections(() => void send(2))).toEqual([]);
    expect(queue.underWay).toBe(2);
  });

  it('ignores an exception after the answer', () => {
    const { outcomes, send } = guard((done) => {
      done({ code: 0 });
      throw new Error('after the answer');
    });
    expect(send(2)).toEqual([[]]);
    expect(outcomes).toMatchObject({ exported: 2, failed: 0 });
  });

  it.each([
    [1, 0],
    [0, 1],
  ])('counts by the first of two answers (%i before %i)', (first, second) => {
    const { outcomes, send } = guard((done) => {
      done({ code: first });
      done({ code: second });
    });
    expect(send()).toHaveLength(1);
    expect(outcomes).toMatchObject({ exported: second, failed: first });
  });

  it('counts an export without an answer as failed when its time is over, and ignores a late answer', () => {
    jest.useFakeTimers({ doNotFake: ['performance'] });
    let done: ExportCallback = () => {};
    const { destination, outcomes, send } = guard((callback) => void (done = callback), {}, 50);
    const answers = send();
    jest.advanceTimersByTime(49);
    expect(answers).toEqual([]);
    jest.advanceTimersByTime(1);
    done({ code: 0 });
    expect(answers).toEqual([[{ count: 1, error: new Error('no answer within 50 ms') }]]);
    expect(outcomes).toMatchObject({ exported: 0, failed: 1 });
    expect(warnings).toEqual([`1 span is lost: the export to ${destination} failed (Error: no answer within 50 ms).`]);
  });

  it('leaves no timer after an answer, and none that keeps the process alive before', () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    const cleared = jest.spyOn(globalThis, 'clearTimeout');
    let done: ExportCallback = () => {};
    guard((callback) => void (done = callback)).send();
    const [timer] = timers.mock.results.map(({ value }) => value as NodeJS.Timeout);
    expect(timer?.hasRef()).toBe(false);
    done({ code: 0 });
    expect(cleared).toHaveBeenCalledWith(timer);
    guard((callback) => callback({ code: 0 })).send();
    expect(timers).toHaveBeenCalledTimes(1);
  });

  it('counts all spans although the exporter changes its list', () => {
    const { outcomes, send } = guard((done, spans) => {
      spans.length = 0;
      done({ code: 0 });
    });
    expect(send(3)).toEqual([[]]);
    expect(outcomes).toMatchObject({ exported: 3, failed: 0 });
  });

  describe('with an exporter that throws', () => {
    const batch = (bad: readonly number[]) =>
      Array.from({ length: 512 }, (_, index) => fakeSpan(bad.includes(index) ? `bad ${index}` : `good ${index}`));

    it('exports the other spans of a batch again, in their order, if a span cannot be encoded', () => {
      const received: string[] = [];
      const { outcomes, sendSpans } = guard((done, spans) => {
        const names = spans.map(({ name }) => name);
        // An exporter may empty its list before it throws: the halves are those of the whole batch nevertheless.
        spans.length = 0;
        if (names.some((name) => name.startsWith('bad'))) throw new Error('cannot be encoded');
        received.push(...names);
        done({ code: 0 });
      });
      for (const bad of [[17], [0, 511], [100, 200, 300]]) {
        received.length = 0;
        const spans = batch(bad);
        const answers = sendSpans(spans);
        expect(answers).toEqual([bad.map(() => ({ count: 1, error: new Error('cannot be encoded') }))]);
        expect(received).toEqual(spans.map(({ name }) => name).filter((name) => name.startsWith('good')));
      }
      expect(outcomes).toMatchObject({ exported: 1530, failed: 6 });
    });

    it('exports one part after the other, and calls back after the last', async () => {
      let underWay = 0;
      let most = 0;
      let finish: () => void = () => {};
      const finished = new Promise<void>((resolve) => (finish = resolve));
      const { outcomes, sendSpans } = guard((done, spans) => {
        if (spans.some(({ name }) => name.startsWith('bad'))) throw new Error('cannot be encoded');
        most = Math.max(most, ++underWay);
        setImmediate(() => {
          underWay--;
          done({ code: 0 });
          if (outcomes.exported > 0) finish();
        });
      });
      const answers = sendSpans(batch([17, 400]));
      expect(answers).toEqual([]);
      await finished;
      expect(most).toBe(1);
      expect(answers).toHaveLength(1);
      expect(outcomes).toMatchObject({ exported: 510, failed: 2 });
    });

    it('calls it a bounded number of times for a batch, and once for the next if it always throws', () => {
      let calls = 0;
      let isBroken = true;
      const { outcomes, send, sendSpans } = guard((done, spans) => {
        calls++;
        if (isBroken || spans.some(({ name }) => name.startsWith('bad'))) throw new Error('broken');
        done({ code: 0 });
      });
      send(512);
      expect(calls).toBeLessThan(100);
      calls = 0;
      send(512);
      expect(calls).toBe(1);
      expect(outcomes).toMatchObject({ exported: 0, failed: 1024 });

      // A batch that arrives shows that the exporter works: from then on, one bad span costs no others.
      isBroken = false;
      send(512);
      sendSpans(batch([17]));
      expect(outcomes).toMatchObject({ exported: 1023, failed: 1025 });
    });
  });

  describe('with an exporter that tells how many spans were rejected', () => {
    const error = Object.assign(new Error('too old'), { code: 'rejected' });

    it.each([
      [2, 2],
      [3, 3],
      [4, 3],
      [Infinity, 3],
      [0, 0],
      [-1, 0],
      [NaN, 0],
      ['2', 0],
      [undefined, 0],
    ])('counts of 3 spans with %p rejected %i as failed', (rejected, failed) => {
      const { outcomes, send } = guard((done) => done({ code: 0, error, rejected } as ExportResult));
      expect(send(3)).toEqual([failed > 0 ? [{ count: failed, error }] : []]);
      expect(outcomes).toMatchObject({ exported: 3 - failed, failed });
    });

    it('warns with its error', () => {
      const { destination, outcomes, send } = guard((done) => done({ code: 0, error, rejected: 2 } as ExportResult));
      send(3);
      expect([...outcomes.failures]).toEqual([['rejected', 2]]);
      expect(warnings[0]).toBe(`2 spans are lost: the export to ${destination} failed (Error: too old).`);
    });

    it('adds up what was rejected of each part of a batch', () => {
      const { outcomes, send } = guard((done, spans) => {
        if (spans.length > 2) throw new Error('too many');
        done({ code: 0, error, rejected: 1 } as ExportResult);
      });
      const failure = { count: 1, error };
      expect(send(8)).toEqual([[failure, failure, failure, failure]]);
      expect(outcomes).toMatchObject({ exported: 4, failed: 4 });
    });
  });

  it('fails all pending exports, and all later ones without a call of the exporter, with failAll()', () => {
    const callbacks: ExportCallback[] = [];
    const { guarded, outcomes, send } = guard((done) => void callbacks.push(done));
    const answers = [send(), send(2), send(3)];
    callbacks[0]!({ code: 0 });
    guarded.failAll('too late');
    expect(answers).toEqual([
      [[]],
      [[{ count: 2, error: new Error('too late') }]],
      [[{ count: 3, error: new Error('too late') }]],
    ]);
    callbacks[1]!({ code: 0 });
    expect(send(4)).toEqual([[{ count: 4, error: new Error('too late') }]]);
    expect(outcomes).toMatchObject({ exported: 1, failed: 9 });
    expect(callbacks).toHaveLength(3);
  });

  it('flushes the exporter, unless it cannot be flushed', async () => {
    const forceFlush = jest.fn(() => Promise.resolve());
    await guard(() => {}, { forceFlush }).guarded.forceFlush();
    expect(forceFlush).toHaveBeenCalledTimes(1);
    await guard(() => {}, { forceFlush: undefined }).guarded.forceFlush();
    expect(warnings).toEqual([]);
  });

  it('shuts the exporter down once, and waits for it at each call', async () => {
    let finish: () => void = () => {};
    const shutdown = jest.fn(() => new Promise<void>((resolve) => (finish = resolve)));
    const { guarded } = guard(() => {}, { shutdown });
    const first = guarded.shutdown();
    const second = guarded.shutdown();
    finish();
    await Promise.all([first, second, guarded.shutdown()]);
    expect(shutdown).toHaveBeenCalledTimes(1);
  });

  it.each<[what: string, call: () => Promise<void>, reason: string]>([
    ['rejects', () => Promise.reject(new Error('gone')), 'Error: gone'],
    ['throws', fail, 'Error: do not touch'],
    ['rejects with an error that cannot be read', () => Promise.reject(hostile()), 'an error that cannot be described'],
    ['rejects with nothing', () => Promise.reject(undefined), 'the exporter gives no reason'],
  ])('warns of a flush and a shutdown that %s, and resolves', async (_what, call, reason) => {
    const { destination, guarded } = guard(() => {}, { forceFlush: call, shutdown: call });
    await expect(guarded.forceFlush()).resolves.toBeUndefined();
    await expect(guarded.shutdown()).resolves.toBeUndefined();
    expect(warnings).toEqual([
      `The exporter to ${destination} failed to flush (${reason}).`,
      `The exporter to ${destination} failed to shut down (${reason}).`,
    ]);
  });
});
