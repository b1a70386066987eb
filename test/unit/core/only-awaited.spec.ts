import { describe, expect, it } from '@jest/globals';
import { context, createContextKey } from '@opentelemetry/api';
import { of } from 'rxjs';
import 'reflect-metadata';
import { interceptMethod } from '../../../lib/core/intercept-method.js';
import { OperationContext } from '../../../lib/core/operation-context.js';
import { Operation } from '../../../lib/core/operation.js';
import { settle } from '../../../lib/core/settle.js';
import { TracedWork } from '../../../lib/core/work.js';
import { recordSpans } from '../../support/recorded-spans.js';

const spans = recordSpans();
const start = () => new TracedWork(Operation.start('work'), { isOnlyAwaited: true });

describe('a result that is only awaited', () => {
  it.each<[string, () => object]>([
    ['an Observable', () => of(1)],
    ['a generator', () => [1].values()],
  ])('is returned as it is, also if it is %s', async (_what, create) => {
    const result = create();
    expect(settle(start, () => result, undefined, [])).toBe(result);
    expect(await settle(start, async () => result, undefined, [])).toBe(result);
    expect(spans.names()).toEqual(['work', 'work']);
  });

  it('ends its work when its promise is settled', async () => {
    const pending = settle(start, () => Promise.reject(new Error('no')), undefined, []);
    expect(spans.names()).toEqual([]);
    await expect(pending).rejects.toThrow('no');
    expect(spans.one('work').status).toMatchObject({ message: 'no' });
  });
});

it('a context in place of another has its operation, and the values of the first', () => {
  const key = createContextKey('key');
  const outer = Operation.start('outer');
  const inner = outer.run(() => Operation.start('inner'));
  const values = inner.context.setValue(key, 'value');
  const merged = OperationContext.inPlaceOf(outer.context, values);
  expect(merged.getValue(key)).toBe('value');
  expect(Operation.in(merged)).toBe(outer);
  expect(context.with(merged, () => Operation.start('child')).span.spanContext().traceId).toBe(
    outer.span.spanContext().traceId,
  );
});

it('a method that is intercepted has its metadata', () => {
  class Guarded {
    guard(): void {}
  }
  Reflect.defineMetadata('roles', ['admin'], Guarded.prototype.guard);
  const instance = new Guarded();
  const undo = interceptMethod(instance, 'guard', (method, thisArg, args) => Reflect.apply(method, thisArg, args));
  expect(Object.hasOwn(instance, 'guard')).toBe(true);
  expect(Reflect.getMetadata('roles', instance.guard)).toEqual(['admin']);
  undo?.();
  expect(instance.guard).toBe(Guarded.prototype.guard);
});
