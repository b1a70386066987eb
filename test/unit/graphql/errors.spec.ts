import { describe, expect, it } from '@jest/globals';
import { BadGatewayException, ForbiddenException, NotFoundException } from '@nestjs/common';
import { errorAttributes, isFailure, readError, readFormattedError } from '../../../lib/graphql/errors.js';

const path = ['users', 0, 'name'];
const coded = (code: unknown) => ({ extensions: { code }, locations: [] });

describe('an error of a result', () => {
  it.each<[error: object, code: string, failed: boolean]>([
    [{ path, originalError: new TypeError('x') }, 'INTERNAL_SERVER_ERROR', true],
    [{ path, originalError: new NotFoundException() }, 'INTERNAL_SERVER_ERROR', false],
    [{ path, originalError: new ForbiddenException() }, 'FORBIDDEN', false],
    [{ path, originalError: new BadGatewayException() }, 'INTERNAL_SERVER_ERROR', true],
    [{ path, ...coded('SOLD_OUT'), originalError: coded('SOLD_OUT') }, 'SOLD_OUT', false],
    [{ path, ...coded('INTERNAL_SERVER_ERROR') }, 'INTERNAL_SERVER_ERROR', true],
    [{ path, ...coded(7) }, 'INTERNAL_SERVER_ERROR', true],
    [{ path, ...coded('') }, 'INTERNAL_SERVER_ERROR', true],
    [{ path, ...coded('a'.repeat(1000)) }, 'a'.repeat(64), false],
    [coded('GRAPHQL_PARSE_FAILED'), 'GRAPHQL_PARSE_FAILED', false],
    [{}, 'BAD_REQUEST', false],
  ])('%j has the code %s: failed %s', (error, code, failed) => {
    expect(readError(error)).toMatchObject({ code, isFailure: failed });
  });

  it('has no exception if it is one of the request, whose message quotes the document', () => {
    expect(readError({ originalError: new Error('Variable "$a" got "secret"') }).thrown).toBeUndefined();
  });

  it('of Mercurius has the code of the application, or none', () => {
    expect(readFormattedError({ path, extensions: { code: 'X' } })).toEqual({
      code: 'X',
      thrown: undefined,
      isFailure: false,
    });
    expect(readFormattedError({ path })).toMatchObject({ code: '', isFailure: true });
    expect(readFormattedError({ path: ['users'] })).toMatchObject({ code: '', isFailure: false });
  });

  it.each<[thrown: unknown, failed: boolean]>([
    [new Error('x'), true],
    [new NotFoundException(), false],
    [coded('SOLD_OUT'), false],
    ['a text', true],
    [null, true],
    [undefined, true],
  ])('%p thrown by a root field: %s', (thrown, failed) => {
    expect(isFailure(thrown)).toBe(failed);
  });
});

it('the attributes of errors have each code once, and not many', () => {
  const errors = Array.from({ length: 100 }, (_, index) => readError({ path, ...coded(`CODE_${index % 50}`) }));
  const attributes = errorAttributes(errors);
  expect(attributes['graphql.error.count']).toBe(100);
  expect(attributes['graphql.error.codes']).toHaveLength(16);
});
