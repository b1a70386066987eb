// This file tests exactly the code that these lint rules warn about.
/* oxlint-disable unicorn/no-thenable, unicorn/no-single-promise-in-promise-methods, promise/always-return, promise/valid-params */
import { readFile } from 'node:fs/promises';
import { runInNewContext } from 'node:vm';
import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { defer as deferObservable, lastValueFrom, of, type Observable } from 'rxjs';
import { Operation } from '../../../lib/core/operation.js';
import { settle } from '../../support/settle.js';
import { TracedWork } from '../../../lib/core/work.js';
import { exceptionsOf, recordSpans } from '../../support/recorded-spans.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';

const spans = recordSpans();

function traced<T>(call: (operation: Operation) => T, name = 'work'): T {
  return settle(
    () => new TracedWork(Operation.start(name)),
    ({ operation }) => call(operation),
  );
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (reason: unknown) => void;
  const promise = new Promise<T>((...settlers) => ([resolve, reject] = settlers));
  return { promise, resolve, reject };
}

const failure = new RangeError('too far');

async function awaited<T>(promise: Promise<T>): Promise<T> {
  const result = await promise;
  return result;
}

/** A promise with an additional method and an additional property. */
class Task<T> extends Promise<T> {
  stopped = false;
  stop(): void {
    this.stopped = true;
  }
}

describe('a value', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['a number', 0],
    ['a text', ''],
    ['an object', { any: 'thing' }],
    ['a list', [1, 2]],
    ['a function', () => 1],
    ['a symbol', Symbol('mark')],
    ['an object whose then is no function', { then: 'later' }],
  ])('comes through as it is, and its span has ended: %s', (_, value) => {
    expect(traced(() => value)).toBe(value);
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it.each([
    ['whose getters throw', () => hostile({ get: refuse })],
    ['that is revoked', () => revoked()],
    ['that answers to every name', () => hostile({ get: () => () => 'answer', has: () => true })],
    ['that takes no property', () => hostile({ get: () => () => 'answer', defineProperty: refuse })],
  ])('may be a proxy %s', (_, create) => {
    const value = create();
    // The comparison uses `===`, because expect() would read the properties of the object.
    expect(traced(() => value) === value).toBe(true);
    expect(spans.names()).toEqual(['work']);
  });

  it('may be an object whose own getters throw', () => {
    const value = Object.defineProperties({}, { then: { get: refuse }, lift: { get: refuse }, next: { get: refuse } });
    expect(traced(() => value) === value).toBe(true);
    expect(spans.names()).toEqual(['work']);
  });
});

function refuse(): never {
  throw new Error('do not look');
}

function hostile(handler: ProxyHandler<object>): object {
  return new Proxy({}, handler);
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

describe('a promise', () => {
  it('ends the span when it is fulfilled, before the caller goes on', async () => {
    const { promise, resolve } = deferred<number>();
    const result = traced(() => promise);
    expect(spans.names()).toEqual([]);
    resolve(42);
    await expect(result).resolves.toBe(42);
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('ends the span with the rejection, which the caller gets', async () => {
    await expect(traced(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(exceptionsOf(spans.one('work'))).toEqual([['RangeError', 'too far']]);
  });

  it('keeps the context inside over awaits, and gives the caller its own back', async () => {
    const seen = await traced(async (operation) => {
      await Promise.resolve();
      await new Promise((resolve) => setImmediate(resolve));
      return trace.getActiveSpan() === operation.span;
    });
    expect(seen).toBe(true);
    await traced(async (outer) => {
      await traced(async () => 'inner', 'inner');
      expect(trace.getActiveSpan()).toBe(outer.span);
    }, 'outer');
    expect(trace.getActiveSpan()).toBeUndefined();
  });

  it('that is rejected and not handled is one unhandled rejection, with its reason', async () => {
    expect(await unhandledRejections(() => void traced(() => Promise.reject(failure)))).toEqual([failure]);
    expect(
      await unhandledRejections(
        () =>
          void traced(async () => {
            await Promise.resolve();
            throw failure;
          }),
      ),
    ).toEqual([failure]);
  });

  it('that is rejected and handled is none', async () => {
    const handled = () =>
      traced(() => Promise.reject(failure)).then(
        () => {},
        () => {},
      );
    expect(await unhandledRejections(handled)).toEqual([]);
    expect(await unhandledRejections(() => void traced(() => Promise.reject(failure)).catch(() => {}))).toEqual([]);
    const insideAll = () => Promise.allSettled([traced(() => Promise.reject(failure))]);
    expect(await unhandledRejections(insideAll)).toEqual([]);
  });

  it('of Node, and of another realm, is one like any other', async () => {
    await expect(traced(() => readFile(import.meta.filename, 'utf8'), 'file')).resolves.toContain('of Node');
    const foreign = runInNewContext('(async () => { await null; return 42 })()') as Promise<number>;
    await expect(traced(() => foreign, 'realm')).resolves.toBe(42);
    const rejected = runInNewContext('Promise.reject(new TypeError("far"))') as Promise<number>;
    await expect(traced(() => rejected, 'rejected')).rejects.toThrow('far');
    expect(spans.names()).toEqual(['file', 'realm', 'rejected']);
    expect(exceptionsOf(spans.one('rejected'))).toEqual([['TypeError', 'far']]);
  });

  it('of another realm stays of that realm', () => {
    const [foreign, ForeignPromise] = runInNewContext('[Promise.resolve(), Promise]') as [Promise<void>, unknown];
    expect(traced(() => foreign).constructor).toBe(ForeignPromise);
  });

  it('keeps properties that a library has added to it', async () => {
    const signal = Symbol.asyncIterator;
    let cancelled = 0;
    function cancellable() {
      return Object.assign(Promise.resolve('response'), {
        cancel: () => ++cancelled,
        json: async () => ({ ok: true }),
        [signal]: 'iterator',
      });
    }
    const response = traced(cancellable);
    expect(response.cancel()).toBe(1);
    await expect(response.json()).resolves.toEqual({ ok: true });
    expect(response[signal]).toBe('iterator');
    await expect(response).resolves.toBe('response');
    expect(spans.names()).toEqual(['work']);
  });

  it('keeps a then() of its own, which await does not ask', async () => {
    const own = Object.assign(Promise.resolve('value'), {
      then: (listener: (value: string) => string) => listener('own'),
    });
    const result = traced(() => own);
    expect(result.then((value) => value)).toBe('own');
    // The result of `await` does not depend on any `then()`, because `await` uses a native promise directly.
    const awaitedValue = await (result as unknown as Promise<string>);
    expect(awaitedValue).toBe('value');
    expect(spans.names()).toEqual(['work']);
  });

  it('does not take over the context that Node keeps on the original promise', async () => {
    const inner = traced(() => traced(() => Object.assign(Promise.resolve(1), { tag: 'tagged' }), 'inner'), 'outer');
    await inner.then(() => expect(trace.getActiveSpan()).toBeUndefined());
    expect(spans.names()).toEqual(['inner', 'outer']);
  });

  it('that is frozen comes through', async () => {
    await expect(traced(() => Object.freeze(Promise.resolve('ice')))).resolves.toBe('ice');
    expect(spans.names()).toEqual(['work']);
  });
});

describe('a subclass of Promise', () => {
  it('comes back as the same object, with its methods', async () => {
    const task = new Task<string>((resolve) => setImmediate(resolve, 'done'));
    const result = traced(() => task);
    expect(result).toBe(task);
    result.stop();
    expect(result.stopped).toBe(true);
    expect(Object.keys(result)).toEqual(['stopped']);
    await expect(result).resolves.toBe('done');
    expect(spans.names()).toEqual(['work']);
  });

  it.each([
    ['then()', (task: Task<string>) => task.then((value) => value)],
    ['catch()', (task: Task<string>) => task.catch(() => 'caught')],
    ['finally()', (task: Task<string>) => task.finally(() => {})],
    ['await', awaited],
    ['Promise.all()', async (task: Task<string>) => (await Promise.all([task]))[0]],
    ['Promise.race()', (task: Task<string>) => Promise.race([task])],
    ['Promise.resolve()', (task: Task<string>) => Promise.resolve(task)],
  ])('ends the span where it is awaited by %s', async (_, listen) => {
    await expect(listen(traced(() => Task.resolve('done') as Task<string>))).resolves.toBe('done');
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('fails the span with its rejection', async () => {
    await expect(traced(() => Task.reject(failure))).rejects.toBe(failure);
    await expect(traced(() => Task.reject(failure), 'caught').catch((reason: unknown) => reason)).resolves.toBe(
      failure,
    );
    expect(exceptionsOf(spans.one('work'))).toHaveLength(1);
    expect(exceptionsOf(spans.one('caught'))).toHaveLength(1);
  });

  it('makes its own kind by then(), and no more of them than without tracing', async () => {
    let made = 0;
    class Counted<T> extends Promise<T> {
      constructor(executor: (resolve: (value: T) => void, reject: (reason: unknown) => void) => void) {
        super(executor);
        made++;
      }
    }
    const counted = traced(() => new Counted<number>((resolve) => resolve(1)));
    expect(made).toBe(1);
    const derived = counted.then((value) => value + 1);
    expect(made).toBe(2);
    expect(derived).toBeInstanceOf(Counted);
    await expect(derived).resolves.toBe(2);
  });

  it('may have a constructor that then() cannot use', async () => {
    class Query extends Promise<string> {
      static override get [Symbol.species]() {
        return Promise;
      }
      constructor(readonly text: string) {
        super((resolve) => resolve(`rows of ${text}`));
      }
    }
    await expect(traced(() => new Query('orders'))).resolves.toBe('rows of orders');
    expect(spans.names()).toEqual(['work']);
  });

  it('that is rejected and not handled is one unhandled rejection; one that its maker handles is none', async () => {
    expect(await unhandledRejections(() => void traced(() => Task.reject(failure)))).toEqual([failure]);
    const handledInside = () =>
      void traced(() => {
        const task = Task.reject(failure);
        task.catch(() => {});
        return task;
      });
    expect(await unhandledRejections(handledInside)).toEqual([]);
    const handledOutside = () => void traced(() => Task.reject(failure)).catch(() => {});
    expect(await unhandledRejections(handledOutside)).toEqual([]);
    const notCaught = () => void traced(() => Task.reject(failure)).then(() => {});
    expect(await unhandledRejections(notCaught)).toEqual([failure]);
  });

  it('that is frozen comes through, and its span has ended', async () => {
    const task = Object.freeze(Task.resolve('ice'));
    expect(traced(() => task)).toBe(task);
    await expect(task).resolves.toBe('ice');
    expect(spans.names()).toEqual(['work']);
  });
});

describe('what comes out of a promise', () => {
  it('is waited for if it is an Observable: each subscription is a span', async () => {
    const seen: unknown[] = [];
    const source: Observable<number> = await traced(async (operation) =>
      deferObservable(() => {
        seen.push(trace.getActiveSpan() === operation.span);
        return of(1, 2);
      }),
    );
    expect(spans.names()).toEqual([]);
    await expect(lastValueFrom(source)).resolves.toBe(2);
    await expect(lastValueFrom(source)).resolves.toBe(2);
    expect(spans.names()).toEqual(['work', 'work']);
    expect(seen).toEqual([true, false]);
  });

  it('is waited for if it is a generator', async () => {
    const generator = await traced(async () =>
      (function* () {
        yield trace.getActiveSpan() !== undefined;
      })(),
    );
    expect(spans.names()).toEqual([]);
    expect([...generator]).toEqual([true]);
    expect(spans.names()).toEqual(['work']);
  });
});

describe('onResult', () => {
  function described<T>(call: () => T): T {
    const onResult = (result: unknown) => ({ result: String(result) });
    return settle(() => new TracedWork(Operation.start('work'), { onResult }), call);
  }

  it('sees what was returned', () => {
    described(() => 'value');
    expect(spans.one('work').attributes).toEqual({ result: 'value' });
  });

  it('sees what a promise brings', async () => {
    await described(async () => 'value');
    expect(spans.one('work').attributes).toEqual({ result: 'value' });
  });

  it('is not called for a failure', async () => {
    await expect(described(() => Promise.reject(failure))).rejects.toBe(failure);
    expect(spans.one('work').attributes).toEqual({ 'error.type': 'RangeError' });
  });

  it('may throw: the caller gets the result', async () => {
    const start = () => new TracedWork(Operation.start('work'), { onResult: refuse });
    expect(settle(start, () => 'sync')).toBe('sync');
    await expect(settle(start, async () => 'async')).resolves.toBe('async');
    expect(spans.diagnostics).toEqual(['The onResult function of a span threw and was ignored: Error: do not look']);
  });
});

it('hands a promise through where nothing is registered', async () => {
  trace.disable();
  context.disable();
  await expect(traced(async () => 42)).resolves.toBe(42);
  expect(await unhandledRejections(() => void traced(() => Promise.reject(failure)))).toEqual([failure]);
});
