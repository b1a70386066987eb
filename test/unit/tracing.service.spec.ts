import { setImmediate } from 'node:timers/promises';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NoSpan, Span, TracingService } from 'nestjs-tracing';
import { lastValueFrom, of } from 'rxjs';
import type { TracingRuntime } from '../../lib/tracing.runtime.js';
import { exceptionsOf, recordSpans } from '../support/recorded-spans.js';

const spans = recordSpans();

const runtime: Pick<TracingRuntime, 'flush' | 'finishedSpans'> = {
  flush: jest.fn(() => Promise.resolve()),
  finishedSpans: () => spans.all(),
};
const tracing = new TracingService(runtime as TracingRuntime);

const failure = new RangeError('too far');

beforeEach(() => {
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
});

afterEach(() => {
  propagation.disable();
});

describe('activeSpan and traceId', () => {
  it('are those of the active span', () => {
    tracing.span('work', (span) => {
      expect(tracing.activeSpan).toBe(span);
      expect(tracing.traceId).toBe(span.spanContext().traceId);
      expect(tracing.traceId).toMatch(/^[0-9a-f]{32}$/);
    });
  });

  it('are undefined without an active span, and there is no trace id if nothing is traced', () => {
    class Silent {
      @NoSpan()
      work(): unknown {
        return tracing.traceId;
      }
    }
    expect(tracing.activeSpan).toBeUndefined();
    expect(tracing.traceId).toBeUndefined();
    expect(new Silent().work()).toBeUndefined();
  });
});

describe('span()', () => {
  it('returns what the function returns, and ends when it does', () => {
    expect(tracing.span('work', () => 42)).toBe(42);
    expect(spans.names()).toEqual(['work']);
  });

  it('waits for a promise, an Observable, a generator', async () => {
    const promise = tracing.span('promise', async () => {
      await setImmediate();
      return tracing.activeSpan !== undefined;
    });
    const observable = tracing.span('observable', () => of(1, 2));
    const generator = tracing.span('generator', function* () {
      yield tracing.activeSpan !== undefined;
    });
    expect(spans.names()).toEqual([]);
    await expect(promise).resolves.toBe(true);
    await expect(lastValueFrom(observable)).resolves.toBe(2);
    expect([...generator]).toEqual([true]);
    expect(spans.names()).toEqual(['promise', 'observable', 'generator']);
  });

  it('nests', async () => {
    await tracing.span('outer', async () => {
      await setImmediate();
      await Promise.all([
        tracing.span('first', () => setImmediate()),
        tracing.span('second', async () => {
          await setImmediate();
          tracing.span('innermost', () => {});
        }),
      ]);
    });
    expect(spans.path(spans.one('first'))).toBe('first < outer');
    expect(spans.path(spans.one('innermost'))).toBe('innermost < second < outer');
  });

  it('records an exception or rejection, and rethrows it', async () => {
    const throwing = () =>
      tracing.span('sync', () => {
        throw failure;
      });
    expect(throwing).toThrow(failure);
    await expect(tracing.span('async', () => Promise.reject(failure))).rejects.toBe(failure);
    for (const span of spans.all()) {
      expect(exceptionsOf(span)).toEqual([['RangeError', 'too far']]);
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'too far' });
    }
    expect(spans.all()).toHaveLength(2);
  });

  it('takes kind, attributes, links, start and root', () => {
    const link = { context: tracing.startSpan('linked').spanContext() };
    tracing.span('outer', () =>
      tracing.span('work', () => {}, {
        kind: SpanKind.PRODUCER,
        attributes: { queue: 'orders' },
        links: [link],
        root: true,
        startTime: new Date(1000),
      }),
    );
    const span = spans.one('work');
    expect(span).toMatchObject({ kind: SpanKind.PRODUCER, attributes: { queue: 'orders' }, startTime: [1, 0] });
    expect(span.links).toEqual([expect.objectContaining({ context: link.context })]);
    expect(span.parentSpanContext).toBeUndefined();
  });
});

describe('startSpan()', () => {
  it('starts a child of the active span that is not active itself, and that the caller ends', () => {
    const manual = tracing.span('outer', () => {
      const span = tracing.startSpan('manual', { attributes: { step: 1 } });
      expect(tracing.activeSpan).not.toBe(span);
      tracing.span('sibling', () => {});
      return span;
    });
    expect(spans.names()).toEqual(['sibling', 'outer']);
    manual.end();
    expect(spans.path(spans.one('manual'))).toBe('manual < outer');
    expect(spans.path(spans.one('sibling'))).toBe('sibling < outer');
    expect(spans.one('manual').attributes).toEqual({ step: 1 });
  });

  it('starts a child of a parent that is given', () => {
    const parent = tracing.startSpan('parent');
    tracing.startSpan('manual', { parent: trace.setSpan(ROOT_CONTEXT, parent) }).end();
    parent.end();
    expect(spans.path(spans.one('manual'))).toBe('manual < parent');
  });
});

describe('setAttributes() and addEvent()', () => {
  it('go to the active span', () => {
    tracing.span('work', () => {
      tracing.setAttributes({ 'order.id': 7 });
      tracing.addEvent('validated', { rules: 3 });
      tracing.addEvent('stored');
    });
    expect(spans.one('work').attributes).toEqual({ 'order.id': 7 });
    expect(spans.one('work').events.map(({ name, attributes }) => [name, attributes])).toEqual([
      ['validated', { rules: 3 }],
      ['stored', {}],
    ]);
  });

  it('are no-ops without an active span', () => {
    expect(() => {
      tracing.setAttributes({ any: 'thing' });
      tracing.addEvent('nothing');
      tracing.recordException(failure);
    }).not.toThrow();
    expect(spans.names()).toEqual([]);
  });
});

describe('recordException()', () => {
  it('records an exception that the application handles, once, and leaves the status unchanged', () => {
    tracing.span('work', () => {
      tracing.recordException(failure);
      tracing.recordException(failure);
    });
    expect(exceptionsOf(spans.one('work'))).toEqual([['RangeError', 'too far']]);
    expect(spans.one('work').status.code).toBe(SpanStatusCode.UNSET);
  });

  it('does not record an exception that @Span() has recorded, nor does @Span() record one that it has recorded', () => {
    class Inner {
      @Span()
      work(): void {
        throw failure;
      }
    }
    class Outer {
      @Span()
      work(): void {
        try {
          new Inner().work();
        } catch (error) {
          tracing.recordException(error);
          throw error;
        }
      }
      @Span()
      own(): void {
        tracing.recordException(failure);
        throw failure;
      }
    }
    expect(() => new Outer().work()).toThrow(failure);
    expect(exceptionsOf(spans.one('Inner.work'))).toHaveLength(1);
    expect(exceptionsOf(spans.one('Outer.work'))).toHaveLength(0);
    expect(() => new Outer().own()).toThrow(failure);
    expect(exceptionsOf(spans.one('Outer.own'))).toHaveLength(1);
  });

  it('records on the active span of another instrumentation, and not again on the operation around it', () => {
    const throwing = () =>
      tracing.span('ours', () =>
        trace.getTracer('others').startActiveSpan('theirs', (span) => {
          tracing.recordException(failure);
          span.end();
          throw failure;
        }),
      );
    expect(throwing).toThrow(failure);
    expect(exceptionsOf(spans.one('theirs'))).toHaveLength(1);
    expect(exceptionsOf(spans.one('ours'))).toHaveLength(0);
    expect(spans.one('ours').status.code).toBe(SpanStatusCode.ERROR);
  });

  it.each([[null], [undefined], ['text'], [Symbol('mark')]])('takes anything: %p', (thrown) => {
    tracing.span('work', () => tracing.recordException(thrown));
    expect(exceptionsOf(spans.one('work'))).toHaveLength(1);
  });
});

describe('inject() and extract()', () => {
  it('propagate the trace', () => {
    const carrier = tracing.span('sender', () => tracing.inject({ kept: 'as it is' }));
    expect(carrier).toEqual({
      kept: 'as it is',
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    const parent = tracing.extract(carrier);
    tracing.span('receiver', () => {}, { parent });
    context.with(parent, () => tracing.span('other receiver', () => {}));
    expect(spans.path(spans.one('receiver'))).toBe('receiver < sender');
    expect(spans.path(spans.one('other receiver'))).toBe('other receiver < sender');
  });

  it('return the carrier itself', () => {
    const headers = new Proxy<Record<string, string>>({}, {});
    expect(tracing.inject(headers)).toBe(headers);
  });

  it('are no-ops without a span, or with an empty carrier', () => {
    expect(tracing.inject({})).toEqual({});
    tracing.span('work', () => expect(tracing.extract({})).toBe(context.active()));
    for (const traceparent of ['', 'garbage', '00-0-0-0', ['00'], 7, null]) {
      expect(trace.getSpan(tracing.extract({ traceparent }))).toBeUndefined();
    }
  });

  it('ignore exceptions of carriers and propagators', () => {
    const frozen = Object.freeze({ kept: 1 });
    tracing.span('work', () => expect(tracing.inject(frozen)).toBe(frozen));
    const hostile = {
      get traceparent(): string {
        throw new Error('unreadable');
      },
    };
    tracing.span('work', () => expect(tracing.extract(hostile)).toBe(context.active()));
    expect(spans.diagnostics).toEqual([
      expect.stringMatching(/^inject\(\) threw and was ignored: TypeError/),
      'extract() threw and was ignored: Error: unreadable',
    ]);
  });
});

describe('flush() and finishedSpans()', () => {
  it('are those of the runtime', async () => {
    tracing.span('work', () => {});
    await tracing.flush();
    expect(runtime.flush).toHaveBeenCalledTimes(1);
    expect(tracing.finishedSpans().map(({ name }) => name)).toEqual(['work']);
  });
});

describe('without a tracer provider', () => {
  it('calls functions, and does nothing else', async () => {
    trace.disable();
    context.disable();
    propagation.disable();
    expect(tracing.span('work', (span) => [span.isRecording(), tracing.activeSpan, tracing.traceId])).toEqual([
      false,
      undefined,
      undefined,
    ]);
    await expect(tracing.span('work', async () => 42)).resolves.toBe(42);
    expect(tracing.startSpan('manual').isRecording()).toBe(false);
    expect(tracing.inject({})).toEqual({});
    expect(tracing.extract({ traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` })).toBe(ROOT_CONTEXT);
    expect(() => tracing.recordException(failure)).not.toThrow();
  });
});
