import { createContextKey, propagation, ROOT_CONTEXT, trace, type Span } from '@opentelemetry/api';
import { describe, expect, it } from '@jest/globals';
import { Operation } from '../../../lib/core/operation.js';
import { OperationContext } from '../../../lib/core/operation-context.js';

const span = trace.wrapSpanContext({ traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags: 1 });
const other = trace.wrapSpanContext({ traceId: '3'.repeat(32), spanId: '4'.repeat(16), traceFlags: 1 });
const KEY = createContextKey('key');
const incoming = { is: 'an incoming operation' };

describe('the context of an operation', () => {
  const operation = Operation.join(span, OperationContext.ofIncoming(ROOT_CONTEXT, incoming));
  const { context } = operation;

  it('has its span where the API looks for it', () => {
    expect(trace.getSpan(context)).toBe(span);
    expect(trace.getSpanContext(context)?.traceId).toBe('1'.repeat(32));
  });

  it('has its operation and its incoming operation', () => {
    expect(OperationContext.operationIn(context)).toBe(operation);
    expect(OperationContext.incomingIn(context)).toBe(incoming);
    expect(OperationContext.operationIn(ROOT_CONTEXT)).toBeUndefined();
  });

  it('takes other values, another span and none, and stays what it was', () => {
    const changed = propagation.setBaggage(
      trace.setSpan(context.setValue(KEY, 1), other),
      propagation.createBaggage({ a: { value: 'b' } }),
    );
    expect(changed.getValue(KEY)).toBe(1);
    expect(trace.getSpan(changed)).toBe(other);
    expect(propagation.getBaggage(changed)?.getEntry('a')).toEqual({ value: 'b' });
    expect(OperationContext.operationIn(changed)).toBe(operation);
    const bare = trace.deleteSpan(changed).deleteValue(KEY);
    expect([trace.getSpan(bare), bare.getValue(KEY)]).toEqual([undefined, undefined]);
    expect(OperationContext.incomingIn(bare)).toBe(incoming);
    expect([trace.getSpan(context), context.getValue(KEY)]).toEqual([span, undefined]);
  });

  it('keeps what the context around it had, but for the span', () => {
    const around = trace.setSpan(ROOT_CONTEXT.setValue(KEY, 1), other);
    const inside = OperationContext.ofIncoming(around, incoming);
    expect([inside.getValue(KEY), trace.getSpan(inside)]).toEqual([1, other]);
    expect(trace.getSpan(Operation.join(span, around).context)).toBe(span);
    expect(trace.getSpan(trace.deleteSpan(inside))).toBeUndefined();
  });

  it('is understood by another copy of the library, whatever class it is of', () => {
    const keyed = (name: string) => createContextKey(`nestjs-tracing ${name}`);
    expect(context.getValue(keyed('operation'))).toBe(operation);
    const foreign = ROOT_CONTEXT.setValue(keyed('operation'), operation).setValue(
      keyed('incoming operation'),
      incoming,
    );
    const within: Span | undefined = trace.getSpan(OperationContext.ofIncoming(foreign, incoming));
    expect(within).toBeUndefined();
    expect(OperationContext.operationIn(OperationContext.ofIncoming(foreign, incoming))).toBe(operation);
    expect(OperationContext.incomingIn(foreign)).toBe(incoming);
  });
});
