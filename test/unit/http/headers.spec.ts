import { describe, expect, it } from '@jest/globals';
import { requestHeaderAttributes, responseHeaderAttributes } from '../../../lib/http/headers.js';
import type { HttpRequest, HttpResponse } from '../../../lib/tracing.options.js';

function request(headers: Record<string, unknown>): HttpRequest {
  return { headers } as HttpRequest;
}

function response(headers: Record<string, unknown>): HttpResponse {
  return { getHeader: (name: string) => headers[name] } as unknown as HttpResponse;
}

describe('requestHeaderAttributes()', () => {
  it('has the headers that are wanted and present, each as a list', () => {
    const headers = { 'x-a': 'a', 'x-list': ['b', 'c'], 'x-other': 'd' };
    expect(requestHeaderAttributes(request(headers), ['x-a', 'x-list', 'x-missing'])).toEqual({
      'http.request.header.x-a': ['a'],
      'http.request.header.x-list': ['b', 'c'],
    });
  });

  it.each([
    'authorization',
    'proxy-authorization',
    'cookie',
    'x-api-key',
    'x-auth-token',
    'x-amz-security-token',
    'x-session-id',
  ])('never shows %s', (name) => {
    expect(requestHeaderAttributes(request({ [name]: 'secret' }), [name])).toEqual({
      [`http.request.header.${name}`]: ['REDACTED'],
    });
  });

  it.each(['x-request-id', 'content-type', 'accept', 'forwarded', 'idempotency-key'])('shows %s', (name) => {
    expect(requestHeaderAttributes(request({ [name]: 'value' }), [name])).toEqual({
      [`http.request.header.${name}`]: ['value'],
    });
  });
});

describe('responseHeaderAttributes()', () => {
  it('reads what Node has', () => {
    const headers = { 'content-length': 5, 'set-cookie': ['a=1', 'b=2'] };
    expect(responseHeaderAttributes(response(headers), undefined, ['content-length', 'set-cookie', 'x-none'])).toEqual({
      'http.response.header.content-length': ['5'],
      'http.response.header.set-cookie': ['REDACTED', 'REDACTED'],
    });
  });

  it('reads what the framework has, which Node may never be told', () => {
    const framework = response({ 'x-a': 'framework' }) as { getHeader(name: string): unknown };
    expect(responseHeaderAttributes(response({ 'x-a': 'node', 'x-b': 'node' }), framework, ['x-a', 'x-b'])).toEqual({
      'http.response.header.x-a': ['framework'],
      'http.response.header.x-b': ['node'],
    });
  });
});
