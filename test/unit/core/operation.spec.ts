import { context, ROOT_CONTEXT, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace';
import { describe, expect, it, jest } from '@jest/globals';
import { Operation } from '../../../lib/core/operation.js';
import { settle } from '../../support/settle.js';
import { TracedWork } from '../../../lib/core/work.js';
import { isTracingSuppressed } from '../../../lib/core/suppression.js';
import { registerProvider } from '../../../lib/sdk/globals.js';
import { exceptionsOf, recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();

function traced<T>(name: string, call: (operation: Operation) => T, options = {}): T {
  return settle(
    () => new TracedWork(Operation.start(name, options)),
    ({ operation }) => call(operation),
  );
}

function thrower(thrown: unknown): () => never {
  return () => {
    throw thrown;
  };
}

describe('an operation', () => {
  it('is a span that is active inside, and the parent of those within', () => {
    traced('outer', (outer) => {
      expect(trace.getActiveSpan()).toBe(outer.span);
      expect(Operation.in(context.active())).toBe(outer);
      traced('inner', () => {});
    });
    expect(trace.getActiveSpan()).toBeUndefined();
    expect(spans.path(spans.one('inner'))).toBe('inner < outer');
  });

  it('stands in the context it is given', () => {
    const parent = Operation.start('parent');
    traced('elsewhere', () => traced('child', () => {}, { parent: parent.context }));
    parent.end();
    expect(spans.path(spans.one('child'))).toBe('child < parent');
  });

  it('ends once', () => {
    const operation = Operation.start('work', { startTime: new Date(500) });
    operation.end(new Date(1000));
    operation.end(new Date(2000));
    operation.fail(new Error('late'));
    const span = spans.one('work');
    expect(span.endTime).toEqual([1, 0]);
    expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('is never exported once it is discarded', () => {
    const operation = Operation.start('work');
    operation.discard();
    operation.end();
    expect(spans.names()).toEqual([]);
  });

  it('that joins a span does not end it', () => {
    const span = trace.getTracer('other').startSpan('of another library');
    const operation = Operation.join(span, context.active());
    operation.run(() => traced('child', () => {}));
    operation.end();
    expect(span.isRecording()).toBe(true);
    span.end();
    expect(spans.path(spans.one('child'))).toBe('child < of another library');
  });

  it('that is suppressed leaves no span, nor does anything beneath it', () => {
    traced('outer', () =>
      Operation.suppressed().run(() => {
        expect(isTracingSuppressed(context.active())).toBe(true);
        traced('inner', () => traced('innermost', () => {}));
        trace.getTracer('other').startSpan('of another library').end();
      }),
    );
    expect(spans.names()).toEqual(['outer']);
  });
});

describe('an exception', () => {
  const failure = new RangeError('too far');

  it('is recorded once, on the innermost span; the spans it passes through only say its type', () => {
    const nested = () => traced('outer', () => traced('middle', () => traced('inner', thrower(failure))));
    expect(nested).toThrow(failure);
    expect(exceptionsOf(spans.one('inner'))).toEqual([['RangeError', 'too far']]);
    expect(spans.one('inner').status).toEqual({ code: SpanStatusCode.ERROR, message: 'too far' });
    for (const name of ['middle', 'outer']) {
      const span = spans.one(name);
      expect(span.events).toEqual([]);
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR });
      expect(span.attributes).toEqual({ 'error.type': 'RangeError' });
    }
    expect(spans.diagnostics).toEqual([]);
  });

  it.each([
    ['null', null],
    ['undefined', undefined],
    ['NaN', Number.NaN],
    ['a text', 'text'],
    ['a symbol', Symbol('mark')],
    ['a frozen error', Object.freeze(new Error('ice'))],
  ])('may be %s', async (_, thrown) => {
    const rejecting = traced('outer', () => traced('inner', () => Promise.reject(thrown)));
    await expect(
      rejecting.then(
        () => 'fulfilled',
        (reason: unknown) => [reason],
      ),
    ).resolves.toEqual([thrown]);
    expect(exceptionsOf(spans.one('inner'))).toHaveLength(1);
    expect(spans.one('inner').status.code).toBe(SpanStatusCode.ERROR);
    expect(spans.one('outer').events).toEqual([]);
    expect(spans.one('outer').status.code).toBe(SpanStatusCode.ERROR);
  });

  it('that was caught leaves the outer span as it is', () => {
    traced('outer', () => {
      expect(() => traced('inner', thrower(failure))).toThrow(failure);
    });
    expect(spans.one('outer').status.code).toBe(SpanStatusCode.UNSET);
    expect(spans.one('outer').attributes).toEqual({});
  });

  it('in place of a caught one is recorded where it was thrown', () => {
    const replaced = new Error('no order', { cause: failure });
    const nested = () =>
      traced('outer', () => {
        try {
          traced('inner', thrower(failure));
        } catch {
          throw replaced;
        }
      });
    expect(nested).toThrow(replaced);
    expect(exceptionsOf(spans.one('inner'))).toEqual([['RangeError', 'too far']]);
    expect(exceptionsOf(spans.one('outer'))).toEqual([['Error', 'no order']]);
    expect(spans.one('outer').status.message).toBe('no order');
  });

  it('is recorded on each of two children that fail side by side, and not on their parent', async () => {
    const one = new Error('one');
    const two = new TypeError('two');
    const reject = (reason: unknown) => async () => {
      await Promise.resolve();
      throw reason;
    };
    const parent = traced('parent', () => Promise.all([traced('first', reject(one)), traced('second', reject(two))]));
    await expect(parent).rejects.toBe(one);
    expect(exceptionsOf(spans.one('first'))).toEqual([['Error', 'one']]);
    expect(exceptionsOf(spans.one('second'))).toEqual([['TypeError', 'two']]);
    expect(spans.one('parent').events).toEqual([]);
    expect(spans.one('parent').attributes).toEqual({ 'error.type': 'Error' });
  });

  it('is recorded again in the next request that fails with the same object', () => {
    for (const request of ['first', 'second']) {
      expect(() => traced(request, () => traced(`inner of ${request}`, thrower(failure)))).toThrow(failure);
    }
    expect(exceptionsOf(spans.one('inner of first'))).toHaveLength(1);
    expect(exceptionsOf(spans.one('inner of second'))).toHaveLength(1);
  });

  it('is recorded in each trace that it leaves', () => {
    const nested = () => traced('outer', () => traced('other trace', thrower(failure), { root: true }));
    expect(nested).toThrow(failure);
    expect(spans.one('other trace').spanContext().traceId).not.toBe(spans.one('outer').spanContext().traceId);
    expect(exceptionsOf(spans.one('other trace'))).toHaveLength(1);
    expect(exceptionsOf(spans.one('outer'))).toHaveLength(1);
  });

  it('is recorded by the span around where nothing was recorded inside', () => {
    expect(() =>
      traced('outer', () => settle(() => new TracedWork(Operation.suppressed()), thrower(failure))),
    ).toThrow();
    expect(exceptionsOf(spans.one('outer'))).toEqual([['RangeError', 'too far']]);
  });

  it('that was recorded by hand and then leaves the same span is recorded once, with its message', () => {
    const failing = () =>
      traced('work', (operation) => {
        operation.recordException(failure);
        throw failure;
      });
    expect(failing).toThrow(failure);
    expect(exceptionsOf(spans.one('work'))).toHaveLength(1);
    expect(spans.one('work').status).toEqual({ code: SpanStatusCode.ERROR, message: 'too far' });
  });

  it('shows no message or stack where details are withheld, nor on the spans around', () => {
    const secret = new TypeError('password is hunter2');
    const failing = () =>
      settle(() => new TracedWork(Operation.start('inner'), { mayRecordDetails: false }), thrower(secret));
    expect(() => traced('outer', failing)).toThrow(secret);
    expect(spans.one('inner').events.map(({ attributes }) => attributes)).toEqual([{ 'exception.type': 'TypeError' }]);
    expect(spans.one('inner').attributes).toEqual({ 'error.type': 'TypeError' });
    const seen = JSON.stringify(spans.all().map(({ attributes, events, status }) => [attributes, events, status]));
    expect(seen).not.toContain('hunter2');
  });

  it('is remembered in a bounded number by an operation that lives long', () => {
    const operation = Operation.start('long');
    const errors = Array.from({ length: 100 }, (_, index) => new Error(`error ${index}`));
    for (const error of errors) operation.recordException(error);
    operation.recordException(errors[99]);
    const memory = operation as unknown as { exceptions?: unknown[] };
    expect(memory.exceptions).toHaveLength(16);
    operation.end();
    expect(spans.one('long').events).toHaveLength(100);
    expect(memory.exceptions).toBeUndefined();
  });

  it('is not remembered by an operation that has ended before', () => {
    const outer = Operation.start('outer');
    const inner = outer.run(() => Operation.start('inner'));
    outer.end();
    inner.fail(failure);
    inner.end();
    expect(exceptionsOf(spans.one('inner'))).toEqual([['RangeError', 'too far']]);
    expect((outer as unknown as { exceptions?: unknown[] }).exceptions).toBeUndefined();
  });
});

describe('what the application plugs into the SDK', () => {
  let minutes = 0;

  function processor(methods: Partial<SpanProcessor>): SpanProcessor {
    const idle = () => {};
    return {
      onStart: idle,
      onEnd: idle,
      forceFlush: () => Promise.resolve(),
      shutdown: () => Promise.resolve(),
      ...methods,
    };
  }

  it('is reported when it throws, and the trace goes on', () => {
    const exporter = new InMemorySpanExporter();
    const sampler = {
      shouldSample: (_: unknown, __: unknown, name: string) => {
        if (name === 'broken') throw new Error('sampler is broken');
        return { decision: 2 };
      },
      toString: () => 'sometimes broken',
    };
    registerProvider(new TracerProvider({ sampler, spanProcessors: [new SimpleSpanProcessor({ exporter })] }));
    traced('outer', () => traced('broken', () => traced('inner', () => {})));
    const [inner, outer] = exporter.getFinishedSpans();
    expect(inner?.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    expect(spans.diagnostics).toEqual(['Starting a span threw and was ignored: Error: sampler is broken']);
  });

  it.each([
    [
      'a sampler',
      { sampler: { shouldSample: thrower(new Error('broken sampler')), toString: () => 'broken' } },
      'Starting a span threw and was ignored: Error: broken sampler',
    ],
    [
      'a span processor at the start',
      { spanProcessors: [processor({ onStart: thrower(new Error('broken start')) })] },
      'Starting a span threw and was ignored: Error: broken start',
    ],
    [
      'a span processor at the end',
      { spanProcessors: [processor({ onEnd: thrower(new Error('broken end')) })] },
      'Ending a span threw and was ignored: Error: broken end',
    ],
  ])('may throw, which is reported: %s', async (_, options, report) => {
    // The library writes a warning of one kind once a minute.
    minutes++;
    const now = performance.now.bind(performance);
    const later = jest.spyOn(performance, 'now').mockImplementation(() => now() + minutes * 61_000);
    registerProvider(new TracerProvider(options));
    expect(traced('sync', () => 'result')).toBe('result');
    await expect(traced('async', () => Promise.resolve('result'))).resolves.toBe('result');
    expect(() => traced('failing', thrower(new RangeError('of the application')))).toThrow('of the application');
    expect(spans.diagnostics).toEqual([expect.stringContaining(report)]);
    later.mockRestore();
  });

  it('may be a sampler that drops: the code runs in its trace, and its attributes are not worked out', () => {
    registerProvider(new TracerProvider({ sampler: new AlwaysOffSampler() }));
    traced('dropped', (operation) => {
      expect(operation.isRecording).toBe(false);
      operation.describe('attributes', () => {
        throw new Error('were worked out');
      });
      const outer = trace.getActiveSpan()?.spanContext();
      traced('inner', (inner) => expect(inner.span.spanContext().traceId).toBe(outer?.traceId));
    });
    expect(spans.diagnostics).toEqual([]);
  });
});

describe('describe()', () => {
  it('sets attributes', () => {
    traced('work', (operation) => operation.describe('attributes', () => ({ 'order.id': 7 })));
    expect(spans.one('work').attributes).toEqual({ 'order.id': 7 });
  });

  it('reports attributes that throw when they are made, and when they are read', () => {
    traced('work', (operation) => {
      operation.describe('the made ones', thrower(new Error('no attributes')));
      operation.describe('the read ones', () => ({
        get broken(): string {
          throw new Error('unreadable');
        },
      }));
    });
    expect(spans.one('work').attributes).toEqual({});
    expect(spans.diagnostics).toEqual([
      'the made ones threw and was ignored: Error: no attributes',
      'the read ones threw and was ignored: Error: unreadable',
    ]);
  });
});

it('works where no provider and no context manager are registered', () => {
  trace.disable();
  context.disable();
  expect(traced('work', (operation) => [operation.isRecording, context.active() === ROOT_CONTEXT])).toEqual([
    false,
    true,
  ]);
  expect(() => traced('work', thrower(new Error('mine')))).toThrow('mine');
});
