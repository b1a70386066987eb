import { describe, expect, it } from '@jest/globals';
import { httpSpanName, knownMethod } from '../../../lib/http/method.js';

describe('httpSpanName()', () => {
  it.each([
    ['GET', '/users/:id', 'GET /users/:id'],
    ['GET', undefined, 'GET'],
    ['PROPFIND', '/users', 'HTTP /users'],
    ['PROPFIND', undefined, 'HTTP'],
    ['get', undefined, 'HTTP'],
    [undefined, undefined, 'HTTP'],
  ])('of %s %s is "%s"', (method, route, name) => {
    expect(httpSpanName(method, route)).toBe(name);
  });
});

describe('knownMethod()', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])('knows %s', (method) => {
    expect(knownMethod(method)).toBe(method);
  });

  it.each(['PROPFIND', 'get', '', 'constructor', undefined])('does not know %s', (method) => {
    expect(knownMethod(method)).toBe('_OTHER');
  });
});
