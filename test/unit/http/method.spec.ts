import { describe, expect, it } from '@jest/globals';
import { httpSpanName, knownMethod } from '../../../lib/http/method.js';
import { DEFAULT_KNOWN_METHODS } from '../../../lib/options/known-methods.js';

describe('httpSpanName()', () => {
  it.each([
    ['GET', '/users/:id', 'GET /users/:id'],
    ['GET', undefined, 'GET'],
    ['PROPFIND', '/users', 'HTTP /users'],
    ['PROPFIND', undefined, 'HTTP'],
    ['get', undefined, 'HTTP'],
    [undefined, undefined, 'HTTP'],
  ])('of %s %s is "%s"', (method, route, name) => {
    expect(httpSpanName(method, DEFAULT_KNOWN_METHODS, route)).toBe(name);
  });

  it('accepts only the given methods', () => {
    const known = new Set(['PROPFIND']);
    expect(httpSpanName('PROPFIND', known, '/files')).toBe('PROPFIND /files');
    expect(httpSpanName('GET', known, '/files')).toBe('HTTP /files');
  });
});

describe('knownMethod()', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'])(
    'knows %s',
    (method) => {
      expect(knownMethod(method, DEFAULT_KNOWN_METHODS)).toBe(method);
    },
  );

  it.each(['PROPFIND', 'get', '', 'constructor', undefined])('replaces %s', (method) => {
    expect(knownMethod(method, DEFAULT_KNOWN_METHODS)).toBe('_OTHER');
  });
});
