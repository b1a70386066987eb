import { once } from 'node:events';
import { Readable } from 'node:stream';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { Operation } from '../../../lib/core/operation.js';
import { settle } from '../../support/settle.js';
import { TracedWork } from '../../../lib/core/work.js';
import { exceptionsOf, recordSpans } from '../../support/recorded-spans.js';
import { unhandledRejections } from '../../support/unhandled-rejections.js';

const spans = recordSpans();

function traced<T>(call: () => T, name = 'work', onResult?: (result: unknown) => { result: string }): T {
  return settle(() => new TracedWork(Operation.start(name), { onResult }), call);
}

function spanName(): string {
  return (trace.getActiveSpan() as { name?: string } | undefined)?.name ?? 'no span';
}

const failure = new RangeError('too far');

/** One interface for both kinds of generators. */
const kinds = [
  [
    'a generator',
    function* (steps: string[]): Generator<number, string, string | undefined> {
      try {
        for (const value of [1, 2, 3]) {
          steps.push(spanName());
          const sent = yield value;
          if (sent) steps.push(sent);
        }
        return 'result';
      } finally {
        steps.push(`finally in ${spanName()}`);
      }
    },
  ],
  [
    'an async generator',
    async function* (steps: string[]): AsyncGenerator<number, string, string | undefined> {
      try {
        for (const value of [1, 2, 3]) {
          await new Promise((resolve) => setImmediate(resolve));
          steps.push(spanName());
          const sent = yield value;
          if (sent) steps.push(sent);
        }
        return 'result';
      } finally {
        steps.push(`finally in ${spanName()}`);
      }
    },
  ],
] as const;

describe.each(kinds)('%s', (_, generate) => {
  it('is a span until it is done, and each step runs in it', async () => {
    const steps: string[] = [];
    const generator = traced(() => generate(steps));
    const values: number[] = [];
    for await (const value of generator) {
      values.push(value);
      expect(spanName()).toBe('no span');
      expect(spans.names()).toEqual([]);
    }
    expect(values).toEqual([1, 2, 3]);
    expect(steps).toEqual(['work', 'work', 'work', 'finally in work']);
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('comes back as the same object', () => {
    const generator = generate([]);
    expect(traced(() => generator) === generator).toBe(true);
    expect(Object.keys(generator)).toEqual([]);
  });

  it('passes what is sent to it, and its result', async () => {
    const steps: string[] = [];
    const generator = traced(
      () => generate(steps),
      'work',
      (result) => ({ result: String(result) }),
    );
    await generator.next();
    await generator.next('sent');
    await generator.next();
    await expect(Promise.resolve(generator.next())).resolves.toEqual({ done: true, value: 'result' });
    await expect(Promise.resolve(generator.next())).resolves.toEqual({ done: true, value: undefined });
    expect(steps).toContain('sent');
    expect(spans.one('work').attributes).toEqual({ result: 'result' });
  });

  it('that is left early ends its span, without a result', async () => {
    const steps: string[] = [];
    const results: unknown[] = [];
    for await (const value of traced(
      () => generate(steps),
      'work',
      (result) => ({ result: String(results.push(result)) }),
    )) {
      expect(value).toBe(1);
      break;
    }
    expect(steps).toEqual(['work', 'finally in work']);
    expect(results).toHaveLength(0);
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('that is left by return() hands out what it is given', async () => {
    const generator = traced(() => generate([]));
    await generator.next();
    await expect(Promise.resolve(generator.return('enough'))).resolves.toEqual({ done: true, value: 'enough' });
    expect(spans.names()).toEqual(['work']);
  });

  it('fails its span if the caller throws into it, and throws back to the caller', async () => {
    const steps: string[] = [];
    const generator = traced(() => generate(steps));
    await generator.next();
    await expect(Promise.resolve().then(() => generator.throw(failure))).rejects.toBe(failure);
    expect(steps).toEqual(['work', 'finally in work']);
    expect(exceptionsOf(spans.one('work'))).toEqual([['RangeError', 'too far']]);
  });

  it('that is never iterated never runs, and leaves no span', () => {
    const steps: string[] = [];
    traced(() => generate(steps));
    expect(steps).toEqual([]);
    expect(spans.names()).toEqual([]);
  });

  it('delegates by yield*, each generator in its own span', async () => {
    const inner: string[] = [];
    const outer = traced(async function* () {
      yield* traced(() => generate(inner), 'inner');
      yield 4;
    }, 'outer');
    const values: number[] = [];
    for await (const value of outer) values.push(value);
    expect(values).toEqual([1, 2, 3, 4]);
    expect(inner).toEqual(['inner', 'inner', 'inner', 'finally in inner']);
    expect(spans.path(spans.one('inner'))).toBe('inner < outer');
  });

  it('that is frozen comes through', async () => {
    const values: number[] = [];
    for await (const value of traced(() => Object.freeze(generate([])))) values.push(value);
    expect(values).toEqual([1, 2, 3]);
    expect(spans.names()).toEqual(['work']);
  });
});

describe('a generator that throws', () => {
  it('fails its span, and throws to the caller that iterates', () => {
    const generator = traced(function* () {
      yield 1;
      throw failure;
    });
    expect(() => [...generator]).toThrow(failure);
    expect(exceptionsOf(spans.one('work'))).toEqual([['RangeError', 'too far']]);
    expect(generator.next()).toEqual({ done: true, value: undefined });
  });

  it('may catch what is thrown into it, and go on', () => {
    const generator = traced(function* (): Generator<string, void> {
      try {
        yield 'first';
      } catch {
        yield 'caught';
      }
    });
    generator.next();
    expect(generator.throw(failure)).toEqual({ done: false, value: 'caught' });
    generator.next();
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('records an exception once, innermost, over yield*', () => {
    const inner = function* () {
      yield 1;
      throw failure;
    };
    const outer = traced(function* () {
      yield* traced(inner, 'inner');
    }, 'outer');
    expect(() => [...outer]).toThrow(failure);
    expect(exceptionsOf(spans.one('inner'))).toHaveLength(1);
    expect(spans.one('outer').events).toEqual([]);
    expect(spans.one('outer').status.code).toBe(SpanStatusCode.ERROR);
  });

  it('asynchronously and unheard is one unhandled rejection', async () => {
    const generator = traced(async function* () {
      yield await Promise.reject<number>(failure);
    });
    expect(await unhandledRejections(() => void generator.next())).toEqual([failure]);
    expect(exceptionsOf(spans.one('work'))).toHaveLength(1);
  });
});

describe('an async generator', () => {
  it('keeps the order of steps that are asked for at once', async () => {
    const generator = traced(async function* () {
      yield 1;
      yield 2;
    });
    const steps = await Promise.all([generator.next(), generator.next(), generator.next()]);
    expect(steps.map(({ value }) => value as unknown)).toEqual([1, 2, undefined]);
    expect(spans.names()).toEqual(['work']);
  });
});

describe('what iterates but is no generator', () => {
  it('is left alone: a readable stream', async () => {
    const stream = Readable.from(['a', 'b']);
    const before = Reflect.ownKeys(stream);
    expect(traced(() => stream) === stream).toBe(true);
    expect(Reflect.ownKeys(stream)).toEqual(before);
    expect(stream.readableFlowing).toBeNull();
    expect(spans.names()).toEqual(['work']);
    const chunks: unknown[] = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    await once(stream, 'end');
    expect(chunks).toEqual(['a', 'b']);
  });

  it('is left alone: a cursor, an iterator, a list', () => {
    const cursor = {
      next: async () => ({ done: true, value: undefined }),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
    const before = { ...cursor };
    for (const value of [cursor, [1, 2].values(), new Map([[1, 2]]), [1, 2]]) {
      expect(traced(() => value)).toBe(value);
    }
    expect({ ...cursor }).toEqual(before);
    expect(spans.names()).toHaveLength(4);
  });
});
