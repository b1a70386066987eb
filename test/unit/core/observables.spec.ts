import { context, createContextKey, SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import {
  BehaviorSubject,
  concatMap,
  connectable,
  defer,
  EMPTY,
  firstValueFrom,
  from,
  interval,
  isObservable,
  lastValueFrom,
  map,
  mergeMap,
  NEVER,
  Observable,
  of,
  range,
  ReplaySubject,
  repeat,
  retry,
  Subject,
  take,
  tap,
  throwError,
  timeout,
  toArray,
  type Connectable,
} from 'rxjs';
import { setImmediate as turn } from 'node:timers/promises';
import { Operation } from '../../../lib/core/operation.js';
import { settle } from '../../support/settle.js';
import { TracedWork } from '../../../lib/core/work.js';
import { exceptionsOf, recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();

function traced<T>(call: (operation: Operation) => T, name = 'work'): T {
  return settle(
    () => new TracedWork(Operation.start(name)),
    ({ operation }) => call(operation),
  );
}

function within<T>(name: string, call: () => T): T {
  const operation = Operation.start(name);
  try {
    return operation.run(call);
  } finally {
    operation.end();
  }
}

function spanName(): string | undefined {
  return (trace.getActiveSpan() as { name?: string } | undefined)?.name;
}

/** Advances the clock. */
async function passed(milliseconds: number): Promise<void> {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) await turn();
}

const failure = new RangeError('too far');

describe('an Observable', () => {
  it('has a span that begins at its subscription, not at the call that made it', async () => {
    const source = traced(() => of('cold'));
    await passed(20);
    const subscribedAt = performance.now();
    await lastValueFrom(source);
    const { duration } = spans.one('work');
    expect(duration[0] * 1e3 + duration[1] / 1e6).toBeLessThanOrEqual(performance.now() - subscribedAt + 1);
  });

  it('is a span from subscribe to completion', async () => {
    const values = traced(() => interval(1).pipe(take(3)));
    expect(isObservable(values)).toBe(true);
    expect(spans.names()).toEqual([]);
    await expect(lastValueFrom(values.pipe(toArray()))).resolves.toEqual([0, 1, 2]);
    expect(spans.names()).toEqual(['work']);
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('is a span for each subscription, the child of where it was subscribed', async () => {
    const source = within('maker', () => traced(() => of(1)));
    for (const subscriber of ['first', 'second', 'third']) {
      within(subscriber, () => source.subscribe());
    }
    const paths = spans
      .all()
      .filter(({ name }) => name === 'work')
      .map(spans.path);
    // The first subscription continues the span of the call.
    expect(paths).toEqual(['work < maker', 'work < second', 'work < third']);
  });

  it('has attributes on each of its spans', () => {
    const start = () => {
      const operation = Operation.start('work');
      operation.describe('attributes', () => ({ 'order.id': 7 }));
      return new TracedWork(operation, { onResult: (result: unknown) => ({ result: String(result) }) });
    };
    const source = settle(start, () => of('a', 'b'));
    source.subscribe();
    source.subscribe();
    expect(spans.all().map(({ attributes }) => attributes)).toEqual([
      { 'order.id': 7, result: 'b' },
      { 'order.id': 7, result: 'b' },
    ]);
  });

  it('runs its source in the span, and what is downstream in the context of the subscriber', () => {
    const key = createContextKey('subscriber');
    const seen: Record<string, unknown[]> = { source: [], downstream: [] };
    const source = traced(() =>
      of(1, 2).pipe(tap(() => seen.source!.push(spanName(), context.active().getValue(key)))),
    );
    within('subscriber', () => {
      context.with(context.active().setValue(key, 'mine'), () => {
        source.pipe(map((value) => value * 2)).subscribe({
          next: () => seen.downstream!.push(spanName(), context.active().getValue(key)),
          complete: () => seen.downstream!.push('complete', spanName()),
        });
      });
    });
    expect(seen.source).toEqual(['work', undefined, 'work', undefined]);
    expect(seen.downstream).toEqual(['subscriber', 'mine', 'subscriber', 'mine', 'complete', 'subscriber']);
  });

  it('runs an asynchronous source in the span, also after it has emitted', async () => {
    const seen: unknown[] = [];
    const source = traced(() =>
      defer(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return spanName();
      }).pipe(
        concatMap((first) =>
          interval(1).pipe(
            take(2),
            map(() => [first, spanName()]),
          ),
        ),
      ),
    );
    source.subscribe({ next: () => seen.push(spanName()) });
    await expect(lastValueFrom(source.pipe(toArray()))).resolves.toEqual([
      ['work', 'work'],
      ['work', 'work'],
    ]);
    expect(seen).toEqual([undefined, undefined]);
  });

  it('makes what its source traces a child', () => {
    traced(() => defer(() => traced(() => of(1), 'inner'))).subscribe();
    expect(spans.path(spans.one('inner'))).toBe('inner < work');
  });

  it('makes nested Observables siblings where the caller chains them', async () => {
    const chain = within('caller', () =>
      traced(() => of(1), 'first').pipe(mergeMap(() => traced(() => of(2), 'second'))),
    );
    within('subscriber', () => chain.subscribe());
    expect(spans.path(spans.one('first'))).toBe('first < caller');
    expect(spans.path(spans.one('second'))).toBe('second < subscriber');
  });

  it('fails its span with the error, and hands it on', async () => {
    await expect(lastValueFrom(traced(() => throwError(() => failure)))).rejects.toBe(failure);
    expect(exceptionsOf(spans.one('work'))).toEqual([['RangeError', 'too far']]);
    expect(spans.one('work').status).toEqual({ code: SpanStatusCode.ERROR, message: 'too far' });
  });

  it('records an error once, innermost, where traced Observables are nested', async () => {
    const nested = traced(() => defer(() => traced(() => throwError(() => failure), 'inner')), 'outer');
    await expect(lastValueFrom(nested)).rejects.toBe(failure);
    expect(exceptionsOf(spans.one('inner'))).toHaveLength(1);
    expect(spans.one('outer').events).toEqual([]);
    expect(spans.one('outer').status).toEqual({ code: SpanStatusCode.ERROR });
  });

  it('fails its span where the source throws on subscribe', async () => {
    const source = new Observable<never>(() => {
      throw failure;
    });
    class Refusing extends Observable<never> {
      override subscribe(): never {
        throw failure;
      }
    }
    await expect(lastValueFrom(traced(() => source))).rejects.toBe(failure);
    await expect(lastValueFrom(traced(() => new Refusing(), 'refusing'))).rejects.toBe(failure);
    expect(exceptionsOf(spans.one('work'))).toHaveLength(1);
    expect(exceptionsOf(spans.one('refusing'))).toHaveLength(1);
  });

  it('is a span for each attempt of retry(), and each round of repeat()', async () => {
    let attempts = 0;
    const flaky = traced(() => defer(() => (++attempts < 3 ? throwError(() => failure) : of('done'))));
    await expect(lastValueFrom(flaky.pipe(retry(5)))).resolves.toBe('done');
    expect(spans.all().map(({ status }) => status.code)).toEqual([
      SpanStatusCode.ERROR,
      SpanStatusCode.ERROR,
      SpanStatusCode.UNSET,
    ]);
    await lastValueFrom(traced(() => of(1), 'round').pipe(repeat(3)));
    expect(spans.names().filter((name) => name === 'round')).toHaveLength(3);
  });

  it('ends its span on unsubscribe, and its source is torn down', () => {
    let tornDown: unknown;
    const subscription = traced(() => new Observable(() => () => (tornDown = spanName() ?? 'outside'))).subscribe();
    expect(spans.names()).toEqual([]);
    subscription.unsubscribe();
    expect(tornDown).toBe('work');
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('stops an infinite source that emits at once, when the subscriber has had enough', () => {
    let produced = 0;
    const endless = traced(
      () =>
        new Observable<number>((subscriber) => {
          while (!subscriber.closed && produced < 1_000_000) subscriber.next(produced++);
        }),
    );
    const seen: number[] = [];
    endless.pipe(take(3)).subscribe((value) => seen.push(value));
    expect(seen).toEqual([0, 1, 2]);
    expect(produced).toBe(3);
    expect(spans.names()).toEqual(['work']);
    traced(() => range(0, Number.POSITIVE_INFINITY), 'range')
      .pipe(take(1))
      .subscribe();
    expect(spans.names()).toEqual(['work', 'range']);
  });

  it('that never ends has a span until its subscriber unsubscribes', async () => {
    await expect(lastValueFrom(traced(() => NEVER).pipe(timeout(5)))).rejects.toThrow('Timeout');
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('hands the last value to onResult: also to one who leaves with it, but not where there is none', async () => {
    const results: unknown[] = [];
    const described = <T>(source: Observable<T>) =>
      settle(
        () =>
          new TracedWork(Operation.start('work'), {
            onResult: (result) => {
              results.push(result);
              return { result: String(result) };
            },
          }),
        () => source,
      );
    await firstValueFrom(described(interval(1)));
    described(EMPTY).subscribe();
    described(of(undefined)).subscribe();
    described(throwError(() => failure)).subscribe({ error: () => {} });
    expect(results).toStrictEqual([0, undefined]);
  });

  it('keeps errors of its subscriber out of the span', () => {
    const reported: unknown[] = [];
    const source = traced(() => of(1, 2));
    source
      .pipe(
        map((value) => {
          if (value === 2) throw failure;
          return value;
        }),
      )
      .subscribe({ error: (error) => reported.push(error) });
    expect(reported).toEqual([failure]);
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('works with forEach(), from() and pipe()', async () => {
    const seen: number[] = [];
    const source = traced(() => of(1, 2));
    await source.forEach((value) => seen.push(value));
    await lastValueFrom(from(source));
    expect(seen).toEqual([1, 2]);
    expect(spans.names()).toEqual(['work', 'work']);
  });
});

describe('a Subject', () => {
  it.each([
    ['Subject', () => new Subject<number>()],
    ['BehaviorSubject', () => new BehaviorSubject(1)],
    ['ReplaySubject', () => new ReplaySubject<number>()],
  ])('is left alone, and the span has ended: %s', (_, create) => {
    const subject = create();
    expect(traced(() => subject)).toBe(subject);
    expect(spans.names()).toEqual(['work']);
    const seen: number[] = [];
    subject.subscribe((value) => seen.push(value));
    subject.next(7);
    expect(seen.at(-1)).toBe(7);
    expect(spans.names()).toEqual(['work']);
  });

  it('that went through an operator, or was hidden, is an Observable like any other', () => {
    const subject = new Subject<number>();
    const ended: number[] = [];
    for (const derived of [subject.pipe(map((value) => value * 2)), subject.asObservable()]) {
      const source = traced(() => derived);
      const seen: number[] = [];
      const subscription = source.subscribe((value) => seen.push(value));
      subject.next(4);
      ended.push(spans.names().length);
      subscription.unsubscribe();
      expect(seen).toHaveLength(1);
    }
    expect(ended).toEqual([0, 1]);
    expect(spans.names()).toEqual(['work', 'work']);
  });
});

describe('a subclass of Observable', () => {
  class Page<T> extends Observable<T> {
    readonly #size = 10;
    constructor(private readonly items: T[]) {
      super((subscriber) => {
        for (const item of items) subscriber.next(item);
        subscriber.complete();
      });
    }
    get length(): number {
      return this.items.length;
    }
    size(): number {
      return this.#size;
    }
  }

  it('keeps its class, members and private fields', async () => {
    const page = traced(() => new Page(['a', 'b']));
    expect(page).toBeInstanceOf(Page);
    expect(page.length).toBe(2);
    expect(page.size()).toBe(10);
    await expect(lastValueFrom(page.pipe(toArray()))).resolves.toEqual(['a', 'b']);
    await page.forEach(() => {});
    expect(spans.names()).toEqual(['work', 'work']);
  });

  it('may be connected before and after it is subscribed, and again', () => {
    for (const connectFirst of [false, true]) {
      const feed = new Subject<number>();
      const shared: Connectable<number> = traced(() => connectable(feed, { connector: () => new Subject() }));
      const seen: number[] = [];
      let connection = connectFirst ? shared.connect() : undefined;
      const subscription = shared.subscribe((value) => seen.push(value));
      connection ??= shared.connect();
      feed.next(1);
      connection.unsubscribe();
      subscription.unsubscribe();
      shared.subscribe((value) => seen.push(value));
      connection = shared.connect();
      feed.next(2);
      connection.unsubscribe();
      expect(seen).toEqual([1, 2]);
    }
  });

  it('of another copy of RxJS is traced as well', async () => {
    // These are the criteria of RxJS itself: lift() and subscribe().
    class Foreign {
      lift(): this {
        return this;
      }
      subscribe(observer: { next(value: string | undefined): void; complete(): void }) {
        observer.next(spanName());
        observer.complete();
        return { unsubscribe() {} };
      }
    }
    const foreign = traced(() => new Foreign() as unknown as Observable<string>);
    const seen: unknown[] = [];
    foreign.subscribe((value) => seen.push(value));
    expect(seen).toEqual(['work']);
    expect(foreign).toBeInstanceOf(Foreign);
    expect(spans.names()).toEqual(['work']);
  });
});

it('is handed through where nothing is registered', async () => {
  trace.disable();
  context.disable();
  await expect(lastValueFrom(traced(() => of(1, 2).pipe(toArray())))).resolves.toEqual([1, 2]);
  await expect(lastValueFrom(traced(() => throwError(() => failure)))).rejects.toBe(failure);
});
