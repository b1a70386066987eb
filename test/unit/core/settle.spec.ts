import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { describe, expect, it, jest } from '@jest/globals';
import { of, Subject } from 'rxjs';
import { nesting } from '../../../lib/core/nesting.js';
import { Operation } from '../../../lib/core/operation.js';
import { settle } from '../../../lib/core/settle.js';
import { TracedWork, type Work } from '../../../lib/core/work.js';
import { recordSpans } from '../../support/recorded-spans.js';

// The kinds of results have their own tests: promises.spec.ts, thenables.spec.ts, observables.spec.ts, generators.spec.ts.

const spans = recordSpans();
const startWork = () => new TracedWork(Operation.start('work'));

describe('settle()', () => {
  it('calls the method with its object and its arguments', () => {
    const method = jest.fn(function (this: unknown, ...args: unknown[]) {
      return [this, ...args];
    });
    const owner = {};
    expect(settle(startWork, method, owner, ['a', 1])).toEqual([owner, 'a', 1]);
    expect(method.mock.contexts[0]).toBe(owner);
    expect(spans.names()).toEqual(['work']);
  });

  it('calls the method without a work where none can be started, and reports it', () => {
    const failing = (): Work => {
      throw new Error('no work');
    };
    const given: unknown[] = [];
    const args = (work: Work | undefined) => {
      given.push(work);
      return ['a'];
    };
    expect(settle(failing, (text: unknown) => `called with ${String(text)}`, undefined, args)).toBe('called with a');
    expect(given).toEqual([undefined]);
    expect(spans.diagnostics).toEqual(['Starting a span threw and was ignored: Error: no work']);
  });

  it('makes its span active also by the context manager of another SDK', () => {
    context.disable();
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    const active: unknown[] = [];
    const look = (work: unknown) => active.push(trace.getActiveSpan() === (work as TracedWork).operation.span);
    settle(startWork, look, undefined, (work) => [work]);
    expect(active).toEqual([true]);
    expect(trace.getActiveSpan()).toBeUndefined();
    context.disable();
  });

  it('ends a work whose caller only awaits the result with an Observable or a generator, and returns it as it is', async () => {
    const start = () => new TracedWork(Operation.start('work'), { isOnlyAwaited: true });
    const values = [of(1), new Subject(), (function* () {})(), (async function* () {})()];
    for (const value of values) {
      expect(settle(start, () => value, undefined, [])).toBe(value);
      expect(await settle(start, () => Promise.resolve(value), undefined, [])).toBe(value);
    }
    expect(spans.names()).toEqual(values.flatMap(() => ['work', 'work']));
  });

  it('leaves the context alone where the work is done in that of the caller', () => {
    const outcomes: unknown[] = [];
    const measured: Work = {
      context: undefined,
      restart() {},
      succeed: (result) => outcomes.push(result),
      fail: (thrown) => outcomes.push(thrown),
      complete() {},
      cancel() {},
    };
    const outer = Operation.start('outer');
    const active = outer.run(() =>
      settle(
        () => measured,
        () => trace.getActiveSpan(),
        undefined,
        [],
      ),
    );
    expect(active).toBe(outer.span);
    expect(outcomes).toEqual([outer.span]);
  });

  it.each([
    ['returns', () => {}],
    [
      'throws',
      () => {
        throw new Error('broke');
      },
    ],
  ])('counts a call as nested until it %s', (_, end) => {
    const before = nesting.depth;
    let inside = 0;
    const method = () => {
      inside = nesting.depth;
      end();
    };
    try {
      settle(startWork, method, undefined, []);
    } catch {
      // Only the depth matters in this test.
    }
    expect([inside, nesting.depth]).toEqual([before + 1, before]);
  });

  it.each([
    [true, 0],
    [undefined, 1],
  ])('follows a Subject only if the work asks for it: %s', (followsSubjects, ended) => {
    const subject = new Subject<number>();
    const start = () => new TracedWork(Operation.start('work'), { followsSubjects });
    const result = settle(start, () => subject, undefined, []) as Subject<number>;
    expect(spans.names()).toHaveLength(ended);
    const seen: number[] = [];
    result.subscribe((value) => seen.push(value));
    subject.next(7);
    subject.complete();
    expect([seen, spans.names()]).toEqual([[7], ['work']]);
  });
});
