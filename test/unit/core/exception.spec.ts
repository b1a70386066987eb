import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { errorMessage, errorType, exceptionAttributes } from '../../../lib/core/exception.js';
import { withholdDetails } from '../../../lib/core/withheld.js';

class PaymentError extends Error {}
class NamedError extends Error {
  override readonly name = 'CardDeclined';
}
class Refusal {
  constructor(readonly message: string) {}
}

function throwing(key: 'name' | 'message' | 'stack' | 'cause'): Error {
  return Object.defineProperty(new PaymentError('hidden'), key, {
    get() {
      throw new Error(`getter of ${key}`);
    },
  });
}

const revoked = (() => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
})();

const cases: [string, unknown, type: string, message: string][] = [
  ['an Error', new Error('lost'), 'Error', 'lost'],
  ['an error of the language', new TypeError('wrong'), 'TypeError', 'wrong'],
  ['a subclass, by its class', new PaymentError('declined'), 'PaymentError', 'declined'],
  ['a subclass with a name, by its name', new NamedError('declined'), 'CardDeclined', 'declined'],
  ['an error of another realm', runInNewContext('new RangeError("far")'), 'RangeError', 'far'],
  ['an error without a message', new Error(''), 'Error', ''],
  ['a frozen error', Object.freeze(new PaymentError('ice')), 'PaymentError', 'ice'],
  ['a text', 'just text', 'string', 'just text'],
  ['a number', 42, 'number', '42'],
  ['a bigint', 42n, 'bigint', '42'],
  ['a symbol', Symbol('mark'), 'symbol', 'Symbol(mark)'],
  ['null', null, 'null', 'null'],
  ['undefined', undefined, 'undefined', 'undefined'],
  ['false', false, 'boolean', 'false'],
  ['a class that was not instantiated', PaymentError, 'function', 'function PaymentError'],
  ['an object with a message', new Refusal('no'), 'Refusal', 'no'],
  ['an object without one', { password: 'hunter2' }, 'Object', '[object Object]'],
  ['an object without a prototype', Object.create(null), 'object', 'an error that cannot be described'],
  ['an error whose name cannot be read', throwing('name'), '_OTHER', 'hidden'],
  ['an error whose message cannot be read', throwing('message'), 'PaymentError', 'an error that cannot be described'],
  ['a revoked proxy', revoked, '_OTHER', 'an error that cannot be described'],
];

describe.each(cases)('%s', (_, thrown, type, message) => {
  it(`is of type ${type} and says "${message}"`, () => {
    expect(errorType(thrown)).toBe(type);
    expect(errorMessage(thrown)).toBe(message);
    expect(exceptionAttributes(thrown)).toMatchObject({ 'exception.type': type, 'exception.message': message });
  });
});

describe('the stack trace', () => {
  it('is recorded of errors', () => {
    const thrown = new PaymentError('declined');
    expect(exceptionAttributes(thrown)['exception.stacktrace']).toBe(thrown.stack);
  });

  it('is recorded of errors of another realm', () => {
    const stacktrace = exceptionAttributes(runInNewContext('new RangeError("far")'))['exception.stacktrace'];
    expect(stacktrace).toMatch(/^RangeError: far\n {4}at /);
  });

  it('is left out where there is none', () => {
    expect(exceptionAttributes('text')).not.toHaveProperty('exception.stacktrace');
    expect(exceptionAttributes({ message: 'no', stack: 'forged' })).not.toHaveProperty('exception.stacktrace');
  });

  it('goes on with the causes', () => {
    const root = new Error('socket closed');
    const middle = new PaymentError('bank unreachable', { cause: root });
    const thrown = new Error('no order', { cause: middle });
    expect(exceptionAttributes(thrown)['exception.stacktrace']).toBe(
      `${thrown.stack}\nCaused by: ${middle.stack}\nCaused by: ${root.stack}`,
    );
  });

  it('stops after five causes', () => {
    let thrown = new Error('cause 0');
    for (let depth = 1; depth <= 20; depth++) thrown = new Error(`cause ${depth}`, { cause: thrown });
    expect(String(exceptionAttributes(thrown)['exception.stacktrace']).match(/Caused by/g)).toHaveLength(5);
  });

  it('does not follow causes in a circle', () => {
    const a = new Error('a');
    const b = new Error('b', { cause: a });
    a.cause = b;
    expect(exceptionAttributes(a)['exception.stacktrace']).toBe(`${a.stack}\nCaused by: ${b.stack}`);
  });

  it('says what it can of an error whose stack or cause cannot be read', () => {
    expect(exceptionAttributes(throwing('stack'))['exception.stacktrace']).toBe('Error: hidden');
    const withoutCause = throwing('cause');
    expect(exceptionAttributes(withoutCause)['exception.stacktrace']).toBe(withoutCause.stack);
  });
});

it('cuts huge messages and stack traces', () => {
  const attributes = exceptionAttributes(new Error('x'.repeat(10_000_000)));
  expect(attributes['exception.message']).toHaveLength(8192);
  expect(attributes['exception.stacktrace']).toHaveLength(32_768);
});

it('runs no serialization of what was thrown', () => {
  const thrown = {
    toJSON() {
      throw new Error('toJSON() was called');
    },
  };
  expect(errorMessage(thrown)).toBe('[object Object]');
});

describe('withheld details', () => {
  const withheld = (message: string, options?: ErrorOptions) => {
    const error = new PaymentError(message, options);
    withholdDetails(error);
    return error;
  };

  it('leave the type', () => {
    const error = withheld('password is hunter2', { cause: new Error('cause says hunter2') });
    expect(errorMessage(error)).toBeUndefined();
    expect(exceptionAttributes(error)).toEqual({ 'exception.type': 'PaymentError' });
  });

  it('are not shown of a cause, which ends the list', () => {
    const secret = withheld('password is hunter2', { cause: new Error('hunter2 again') });
    const thrown = new Error('failed', { cause: new TypeError('inner', { cause: secret }) });
    const attributes = exceptionAttributes(thrown);
    expect(attributes['exception.message']).toBe('failed');
    expect(attributes['exception.stacktrace']).toMatch(
      /^Error: failed\n[^]*\nCaused by: TypeError: inner\n[^]*\nCaused by: PaymentError$/,
    );
  });

  it('are not shown of a thrown text', () => {
    withholdDetails('hunter2');
    expect(errorMessage('hunter2')).toBeUndefined();
    expect(exceptionAttributes('hunter2')).toEqual({ 'exception.type': 'string' });
  });
});
