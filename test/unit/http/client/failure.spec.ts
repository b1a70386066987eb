import { describe, expect, it } from '@jest/globals';
import { failureType, isCancellation } from '../../../../lib/http/client/failure.js';

const withCode = (code: unknown, name = 'Error') => Object.assign(new Error('x'), { code, name });
const hostile = new Proxy(new Error('x'), {
  get() {
    throw new Error('trap');
  },
});
const getter = Object.defineProperty(new Error('x'), 'code', {
  get() {
    throw new Error('getter');
  },
});

describe('isCancellation()', () => {
  it.each<[string, unknown, boolean]>([
    ['AbortError of fetch', new DOMException('x', 'AbortError'), true],
    ['AbortError of node:http', withCode('ABORT_ERR', 'AbortError'), true],
    ['AbortError with a reason of its own', Object.assign(withCode('ABORT_ERR', 'AbortError'), { cause: 'x' }), true],
    ['undici', withCode('UND_ERR_ABORTED', 'AbortError'), true],
    ['axios', withCode('ERR_CANCELED', 'CanceledError'), true],
    ['a reason that is not an error', 'the user left', true],
    ['no reason', undefined, true],
    ['TimeoutError of fetch', new DOMException('x', 'TimeoutError'), false],
    [
      'TimeoutError as a cause',
      Object.assign(withCode('ABORT_ERR', 'AbortError'), { cause: new DOMException('x', 'TimeoutError') }),
      false,
    ],
    ['ECONNRESET', withCode('ECONNRESET'), false],
    ['any error', new RangeError('x'), false],
    ['a hostile proxy', hostile, false],
  ])('%s: %#', (_name, thrown, expected) => {
    expect(isCancellation(thrown)).toBe(expected);
  });
});

describe('failureType()', () => {
  it.each<[string, unknown, string]>([
    ['the code of Node', withCode('ECONNREFUSED'), 'ECONNREFUSED'],
    ['the code of undici', withCode('UND_ERR_HEADERS_TIMEOUT', 'HeadersTimeoutError'), 'UND_ERR_HEADERS_TIMEOUT'],
    ['the code of TLS', withCode('DEPTH_ZERO_SELF_SIGNED_CERT'), 'DEPTH_ZERO_SELF_SIGNED_CERT'],
    ['the code of the parser', withCode('HPE_INVALID_CONSTANT'), 'HPE_INVALID_CONSTANT'],
    ['the code of a library, before its name', withCode('ETIMEDOUT', 'TimeoutError'), 'ETIMEDOUT'],
    ['the class if there is no code', new RangeError('x'), 'RangeError'],
    ['the class if the code is a number', withCode(7, 'OwnError'), 'OwnError'],
    ['the class if the code is an arbitrary text', withCode('user 17 has no money', 'OwnError'), 'OwnError'],
    ['a time limit', new DOMException('x', 'TimeoutError'), 'TimeoutError'],
    [
      'a time limit behind an abort',
      Object.assign(withCode('ABORT_ERR', 'AbortError'), { cause: new DOMException('x', 'TimeoutError') }),
      'TimeoutError',
    ],
    ['a getter that throws', getter, 'Error'],
  ])('is %s', (_name, thrown, expected) => {
    expect(failureType(thrown)).toBe(expected);
  });

  it('never throws', () => {
    expect(typeof failureType(hostile)).toBe('string');
  });
});
