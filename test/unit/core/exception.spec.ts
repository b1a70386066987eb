import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { ROOT_CONTEXT, type Attributes } from '@opentelemetry/api';
import { contextManager } from '../../../lib/core/context-manager.js';
import { errorMessage, errorType, exceptionAttributes } from '../../../lib/core/exception.js';
import { withholdDetails } from '../../../lib/core/withheld-details.js';
import { heapGrowth } from '../../support/heap.js';

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

describe('the message of another error that is withheld', () => {
  const cause = new PaymentError('Duplicate entry "hunter2"');
  withholdDetails(cause);

  it('is replaced where an exception without a cause repeats it', () => {
    expect(errorMessage(new Error(cause.message), [cause])).toBe('PaymentError');
    expect(errorMessage(`${cause.message}!`, [cause])).toBe('PaymentError!');
    expect(JSON.stringify(exceptionAttributes(new Error(cause.message), [cause]))).not.toContain('hunter2');
  });

  it('is replaced before the text is cut', () => {
    const thrown = new Error(`${'x'.repeat(8185)}${cause.message}`);
    expect(errorMessage(thrown, [cause])).not.toContain('Dup');
  });

  it('is not sought if it is so short that it may be a part of any word', () => {
    expect(errorMessage(new Error('an index'), [new Error('in')])).toBe('an index');
  });
});

describe('huge texts', () => {
  it('are cut: types, messages and stack traces', () => {
    expect(errorType(Object.assign(new Error('long name'), { name: 'N'.repeat(1_000_000) }))).toHaveLength(256);
    const attributes = exceptionAttributes(new Error('x'.repeat(10_000_000)));
    expect(attributes['exception.message']).toHaveLength(8192);
    const stacktrace = String(attributes['exception.stacktrace']);
    expect(stacktrace.length).toBeLessThanOrEqual(32_768);
    // The message may use only a part of the space, so that the stack frames remain visible.
    expect(stacktrace).toMatch(/^Error: x{2041}\n {4}at /);
  });

  it('are cut where the stack is no usual one', () => {
    const thrown = new Error('short');
    thrown.stack = 'y'.repeat(10_000_000);
    expect(exceptionAttributes(thrown)['exception.stacktrace']).toHaveLength(2048);
    thrown.stack = `Error: short\n    at ${'z'.repeat(10_000_000)}`;
    expect(exceptionAttributes(thrown)['exception.stacktrace']).toHaveLength(32_768);
  });

  it('are not read further once there is no room', () => {
    let deepest = false;
    const last = Object.defineProperty(new Error('last'), 'stack', { get: () => (deepest = true) });
    let thrown: Error = last;
    for (let i = 0; i < 4; i++) {
      thrown = new Error(`cause ${i}`, { cause: thrown });
      thrown.stack = `Error\n    at ${'z'.repeat(1_000_000)}`;
    }
    expect(exceptionAttributes(thrown)['exception.stacktrace']).toHaveLength(32_768);
    expect(deepest).toBe(false);
  });

  it('are not split within a character of two code units', () => {
    const message = String(exceptionAttributes(new Error('\u{1f600}'.repeat(10_000)))['exception.message']);
    expect(message).toHaveLength(8192);
    const shifted = exceptionAttributes(new Error(`x${'\u{1f600}'.repeat(10_000)}`))['exception.message'];
    expect(shifted).toHaveLength(8191);
  });

  it('are not held by what is recorded of them', async () => {
    const recorded: Attributes[] = [];
    const growth = await heapGrowth(() => {
      for (let i = 0; i < 200; i++) {
        const body = `${i} ${'x'.repeat(1_000_000)}`;
        const thrown = new Error(body, { cause: new TypeError(body.slice(0, 1000)) });
        recorded.push(exceptionAttributes(thrown), { status: errorMessage(new Error(body.slice(10, 500))) });
      }
    });
    expect(growth).toBeLessThan(10_000_000);
    expect(recorded).toHaveLength(400);
  });
});

describe('what is quoted of a request', () => {
  const unreadable = (body: string): Error => {
    try {
      JSON.parse(body);
    } catch (error) {
      return error as Error;
    }
    throw new Error('It can be read.');
  };

  it.each([
    ['the error of JSON.parse()', unreadable('hunter2 and more of the body')],
    ['an exception made of it', new RangeError(unreadable('hunter2').message)],
    ['an error around it', new Error(`failed: ${unreadable('hunter2').message}`, { cause: unreadable('hunter2') })],
    [
      'a stack that cannot be read',
      Object.defineProperty(new Error(unreadable('hunter2').message), 'stack', { value: 7 }),
    ],
  ])('is not shown: %s', (_, thrown) => {
    const attributes = exceptionAttributes(thrown);
    expect(attributes['exception.message']).toContain('Unexpected token, "REDACTED" is not valid JSON');
    expect(attributes['exception.stacktrace']).toContain('Unexpected token, "REDACTED" is not valid JSON');
    expect(errorMessage(thrown)).not.toContain('hunter2');
    expect(JSON.stringify(attributes)).not.toContain('hunter2');
  });
});

describe('frames of the library', () => {
  const thrown = contextManager.with(ROOT_CONTEXT, () => contextManager.with(ROOT_CONTEXT, () => new Error('lost')));
  const lines = (text: unknown) => String(text).split('\n');

  it('are left out of stack traces, with what they call', () => {
    expect(thrown.stack).toContain('/lib/core/context-manager.ts');
    const stacktrace = exceptionAttributes(thrown)['exception.stacktrace'];
    expect(stacktrace).not.toMatch(/\/lib\/core|AsyncLocalStorage/);
    expect(lines(stacktrace)).toEqual(
      lines(thrown.stack).filter((line) => !line.includes('/lib/core') && !line.includes('AsyncLocalStorage')),
    );
  });

  it('are left out of the stack traces of causes', () => {
    expect(exceptionAttributes(new Error('outer', { cause: thrown }))['exception.stacktrace']).not.toContain(
      '/lib/core',
    );
  });

  it('stay in a message that quotes them', () => {
    const quoting = new Error(`job failed:\n${thrown.stack}\n`);
    const attributes = exceptionAttributes(quoting);
    expect(attributes['exception.message']).toBe(quoting.message);
    expect(attributes['exception.stacktrace']).toBe(quoting.stack);
    quoting.name = '';
    const nameless = Object.defineProperty(quoting, 'stack', { value: `${quoting.message}\n    at place` });
    expect(exceptionAttributes(nameless)['exception.stacktrace']).toBe(nameless.stack);
  });
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
