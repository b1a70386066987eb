// This file tests exactly the code that these lint rules warn about.
/* oxlint-disable unicorn/no-thenable, unicorn/no-single-promise-in-promise-methods, promise/always-return, promise/valid-params */
import { AsyncLocalStorage } from 'node:async_hooks';
import { trace } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { Operation } from '../../../lib/core/operation.js';
import { settle } from '../../support/settle.js';
import { TracedWork } from '../../../lib/core/work.js';
import { exceptionsOf, recordSpans } from '../../support/recorded-spans.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';

const spans = recordSpans();

function traced<T>(call: () => T, name = 'work'): T {
  return settle(() => new TracedWork(Operation.start(name)), call);
}

const failure = new RangeError('too far');

/** Records each run of a query, and the span in which it ran. */
class Database {
  readonly runs: string[] = [];

  constructor(private readonly outcome: () => unknown = () => ['row']) {}

  async run(text = 'select'): Promise<unknown> {
    this.runs.push(`${text} in ${spanName()}`);
    await new Promise((resolve) => setImmediate(resolve));
    // A child, as a driver's instrumentation makes one.
    traced(() => {}, 'driver');
    return this.outcome();
  }
}

function spanName(): string {
  return (trace.getActiveSpan() as { name?: string } | undefined)?.name ?? 'no span';
}

type OnFulfilled<A> = ((value: unknown) => A | PromiseLike<A>) | null;
type OnRejected<B> = ((reason: unknown) => B | PromiseLike<B>) | null;

interface LazyQuery extends PromiseLike<unknown> {
  catch(onRejected?: (reason: unknown) => unknown): Promise<unknown>;
  finally(onFinally?: () => void): Promise<unknown>;
}

/** Like knex: `then` runs the query each time, the other methods go through `then`, the builder methods return `this`. */
class KnexLikeBuilder implements LazyQuery {
  #table = 'orders';
  constructor(private readonly database: Database) {}
  from(table: string): this {
    this.#table = table;
    return this;
  }
  toString(): string {
    return `select from ${this.#table}`;
  }
  then<A = unknown, B = never>(onFulfilled?: OnFulfilled<A>, onRejected?: OnRejected<B>): Promise<A | B> {
    return this.database.run(this.toString()).then(onFulfilled, onRejected);
  }
  catch(onRejected?: (reason: unknown) => unknown): Promise<unknown> {
    return this.then().catch(onRejected);
  }
  finally(onFinally?: () => void): Promise<unknown> {
    return this.then().finally(onFinally);
  }
}

/** Like mongoose: runs through `exec()`, and refuses to run twice. */
class MongooseLikeQuery implements LazyQuery {
  #executed = false;
  constructor(private readonly database: Database) {}
  where(): this {
    return this;
  }
  async exec(): Promise<unknown> {
    if (this.#executed) throw new Error('Query was already executed');
    this.#executed = true;
    return this.database.run();
  }
  then<A = unknown, B = never>(onFulfilled?: OnFulfilled<A>, onRejected?: OnRejected<B>): Promise<A | B> {
    return this.exec().then(onFulfilled, onRejected);
  }
  catch(onRejected?: (reason: unknown) => unknown): Promise<unknown> {
    return this.exec().then(null, onRejected);
  }
  finally(onFinally?: () => void): Promise<unknown> {
    return this.exec().finally(onFinally);
  }
}

/** Like Prisma: an object with own methods, each of which runs the operation, but all together only once. */
function prismaLikePromise(database: Database): LazyQuery & { requestTransaction(): string } {
  let promise: Promise<unknown> | undefined;
  const once = () => (promise ??= database.run());
  return {
    then: (onFulfilled, onRejected) => once().then(onFulfilled, onRejected),
    catch: (onRejected) => once().catch(onRejected),
    finally: (onFinally) => once().finally(onFinally),
    requestTransaction: () => 'in a transaction',
    [Symbol.toStringTag]: 'PrismaPromise',
  } as LazyQuery & { requestTransaction(): string };
}

/** Like p-lazy: a subclass of Promise that runs its executor when it is first listened to. */
class LazyPromise extends Promise<unknown> {
  #promise: Promise<unknown> | undefined;
  constructor(private readonly work: () => Promise<unknown>) {
    super((resolve) => resolve(undefined));
  }
  static override get [Symbol.species]() {
    return Promise;
  }
  override then<A = unknown, B = never>(onFulfilled?: OnFulfilled<A>, onRejected?: OnRejected<B>): Promise<A | B> {
    return (this.#promise ??= this.work()).then(onFulfilled, onRejected);
  }
  override catch<B = never>(onRejected?: OnRejected<B>): Promise<unknown> {
    return (this.#promise ??= this.work()).catch(onRejected);
  }
}

async function awaited(query: PromiseLike<unknown>): Promise<unknown> {
  const result = await query;
  return result;
}

const kinds: [string, (database: Database) => LazyQuery][] = [
  ['a builder like those of knex', (database) => new KnexLikeBuilder(database)],
  ['a query like those of mongoose', (database) => new MongooseLikeQuery(database)],
  ['a promise like those of Prisma', (database) => prismaLikePromise(database)],
  ['a lazy promise', (database) => new LazyPromise(() => database.run())],
];

describe.each(kinds)('%s', (_, create) => {
  it('comes back as the same object, and is not started', async () => {
    const database = new Database();
    const query = create(database);
    expect(traced(() => query) === query).toBe(true);
    await new Promise((resolve) => setImmediate(resolve));
    expect(database.runs).toEqual([]);
    expect(spans.names()).toEqual([]);
  });

  it('shows no trace of being traced', () => {
    const query = create(new Database());
    const before = [Object.keys(query), JSON.stringify(query)];
    traced(() => query);
    expect([Object.keys(query), JSON.stringify(query)]).toEqual(before);
  });

  const listeners: [string, (query: LazyQuery) => unknown][] = [
    ['await', awaited],
    ['then()', (query) => query.then((value) => value)],
    ['then() with two listeners', (query) => query.then((value) => value, String)],
    ['catch()', (query) => query.catch(() => 'caught')],
    ['finally()', (query) => query.finally(() => {})],
    ['Promise.all()', async (query) => (await Promise.all([query]))[0]],
    ['an async function that returns it', (query) => (async () => query)()],
  ];

  it.each(listeners)('runs once, inside the span, where it is awaited by %s', async (_, listen) => {
    const database = new Database();
    const query = traced(() => create(database));
    await expect(listen(query)).resolves.toEqual(['row']);
    expect(database.runs).toEqual([expect.stringMatching(/ in work$/)]);
    expect(spans.path(spans.one('driver'))).toBe('driver < work');
    expect(spans.names()).toEqual(['driver', 'work']);
  });

  it('hands its failure on, and records it', async () => {
    const failing = () => {
      throw failure;
    };
    await expect(traced(() => create(new Database(failing)))).rejects.toBe(failure);
    await expect(traced(() => create(new Database(failing)), 'caught').catch((reason) => [reason])).resolves.toEqual([
      failure,
    ]);
    expect(exceptionsOf(spans.one('work'))).toEqual([['RangeError', 'too far']]);
    expect(exceptionsOf(spans.one('caught'))).toEqual([['RangeError', 'too far']]);
  });

  it('that fails unheard is one unhandled rejection', async () => {
    const database = new Database(() => {
      throw failure;
    });
    const unheard = async () => {
      void traced(() => create(database)).then(() => {});
      await new Promise((resolve) => setTimeout(resolve, 5));
    };
    expect(await unhandledRejections(unheard)).toEqual([failure]);
    expect(database.runs).toHaveLength(1);
  });

  it("runs the caller's listeners in the caller's context", async () => {
    const seen: string[] = [];
    await traced(() => {
      const query = traced(() => create(new Database()), 'query');
      return (async () => {
        await query.then(() => seen.push(spanName()));
      })();
    }, 'caller');
    const failing = new Database(() => {
      throw failure;
    });
    await traced(() => create(failing), 'query').catch(() => seen.push(spanName()));
    await traced(() => create(failing), 'query').then(undefined, () => seen.push(spanName()));
    expect(seen).toEqual(['caller', 'no span', 'no span']);
  });

  it('is in two spans where two traced methods return it', async () => {
    const database = new Database();
    await traced(() => traced(() => create(database), 'inner'), 'outer');
    expect(database.runs).toEqual([expect.stringMatching(/ in inner$/)]);
    expect(spans.path(spans.one('driver'))).toBe('driver < inner < outer');
  });

  it('is as it was once it has been started', async () => {
    const query = create(new Database());
    const ownBefore = Object.getOwnPropertyDescriptors(query);
    await traced(() => query);
    expect(Object.getOwnPropertyNames(query)).toEqual(Object.keys(ownBefore));
    for (const [key, { value }] of Object.entries(ownBefore)) {
      if (typeof value === 'function') expect(Reflect.get(query, key)).toBe(value);
    }
  });

  it('that is frozen is left alone', async () => {
    const database = new Database();
    const query = traced(() => Object.freeze(create(database)));
    expect(spans.names()).toEqual(['work']);
    await expect(query).resolves.toEqual(['row']);
    expect(database.runs).toHaveLength(1);
  });
});

describe('a builder', () => {
  it('may still be built upon', async () => {
    const database = new Database();
    const query = traced(() => new KnexLikeBuilder(database));
    await query.from('users');
    expect(database.runs).toEqual(['select from users in work']);
  });

  it('that is awaited twice runs twice, as it would without tracing', async () => {
    const database = new Database();
    const query = traced(() => new KnexLikeBuilder(database));
    await query;
    await query;
    expect(database.runs).toEqual(['select from orders in work', 'select from orders in no span']);
    expect(spans.names().filter((name) => name === 'work')).toHaveLength(1);
  });
});

describe('a promise like those of Prisma', () => {
  it('keeps what a transaction needs', () => {
    const promise = traced(() => prismaLikePromise(new Database()));
    expect(promise.requestTransaction()).toBe('in a transaction');
    expect(Object.prototype.toString.call(promise)).toBe('[object PrismaPromise]');
  });
});

describe('another thenable', () => {
  it('may be a function', async () => {
    const callable = Object.assign(() => 'called', {
      then: (resolve: (value: string) => void) => resolve('awaited'),
    });
    const result = traced(() => callable);
    expect(result()).toBe('called');
    await expect(Promise.resolve(result)).resolves.toBe('awaited');
    expect(spans.names()).toEqual(['work']);
  });

  it('may have a then() that returns nothing', async () => {
    const thenable = {
      then(resolve: (value: number) => void): void {
        setImmediate(resolve, 42);
      },
    } as PromiseLike<number>;
    await expect(Promise.resolve(traced(() => thenable))).resolves.toBe(42);
    expect(spans.names()).toEqual(['work']);
  });

  it('may settle at once, inside then()', async () => {
    const order: string[] = [];
    const thenable = {
      then(resolve: (value: number) => void): void {
        resolve(1);
      },
    } as PromiseLike<number>;
    void traced(() => thenable).then(() => order.push('listener'));
    order.push('after');
    expect(order).toEqual(['listener', 'after']);
    expect(spans.names()).toEqual(['work']);
  });

  it('that throws from then() throws to the caller', () => {
    const thenable = {
      then() {
        throw failure;
      },
    } as PromiseLike<never>;
    expect(() => traced(() => thenable).then()).toThrow(failure);
    expect(exceptionsOf(spans.one('work'))).toEqual([['RangeError', 'too far']]);
  });

  it('keeps the asynchronous context of the application', async () => {
    const storage = new AsyncLocalStorage<string>();
    const database = new Database();
    const seen: (string | undefined)[] = [];
    const query = storage.run('made here', () =>
      traced(() => new LazyPromise(() => database.run().then(() => seen.push(storage.getStore())))),
    );
    await storage.run('awaited here', () => awaited(query));
    expect(seen).toEqual(['awaited here']);
  });
});
