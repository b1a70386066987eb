import { describe, expect, it } from '@jest/globals';
import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
import { ClientRequest, type ClientRequestArgs } from 'node:http';
import { ROOT_CONTEXT, createContextKey } from '@opentelemetry/api';
import { headerInText, withoutHeaders } from '../../../../lib/http/client/header-text.js';
import { NodeMessage } from '../../../../lib/http/client/node-message.js';
import { undiciCaller } from '../../../../lib/http/client/undici-caller.js';
import { UndiciResponse, UndiciMessage, type UndiciRequest } from '../../../../lib/http/client/undici-message.js';
import { contextManager } from '../../../../lib/core/context-manager.js';
import { recordSpans } from '../../../support/recorded-spans.js';

describe('headerInText()', () => {
  it.each([
    ['a: 1\r\nB: 2\r\n', 'b', '2'],
    ['a: 1\r\nab: 2\r\n', 'ab', '2'],
    ['GET /b: 3 HTTP/1.1\r\nA:4\r\n\r\n', 'a', '4'],
    ['a: x:y\r\n', 'A', 'x:y'],
    ['a: 1\r\n', 'b', undefined],
    ['', 'b', undefined],
    ['a: 1\r\nA: 2\r\n', 'a', ['1', '2']],
  ])('%j has %s: %s', (head, name, value) => {
    expect(headerInText(head, name)).toEqual(value);
  });
});

describe('withoutHeaders()', () => {
  it.each([
    ['a: 1\r\nB: 2\r\nA:3\r\n', 'B: 2\r\n'],
    ['GET /a: HTTP/1.1\r\nab: 1\r\nc: 2\r\n\r\n', 'GET /a: HTTP/1.1\r\nab: 1\r\n\r\n'],
    ['', ''],
  ])('%j becomes %j', (head, rest) => {
    expect(withoutHeaders(head, ['A', 'c'])).toBe(rest);
  });
});

describe('a message of undici', () => {
  const request = (headers: UndiciRequest['headers'], origin: string | URL = 'http://a.test') => {
    const added: [string, string][] = [];
    const addHeader = (name: string, value: string) => added.push([name, value]);
    const sent: UndiciRequest = { origin, path: '/b', method: 'GET', headers, addHeader };
    return { added, sent, message: new UndiciMessage(sent) };
  };

  it('has headers in a list, since undici 6', () => {
    const { message } = request(['A', '1', 'b', ['2', '3'], 'a', '4']);
    expect([message.header('a'), message.header('B'), message.header('c')]).toEqual([
      ['1', '4'],
      ['2', '3'],
      undefined,
    ]);
  });

  it('has headers in a text, before undici 6', () => {
    const { message } = request('A: 1\r\nb: 2\r\n');
    expect([message.header('a'), message.header('c')]).toEqual(['1', undefined]);
  });

  it('accepts new headers, and an origin of either type', () => {
    const { added, message } = request([], new URL('http://a.test:81/ignored'));
    message.setHeader('a', '1');
    expect(added).toEqual([['a', '1']]);
    expect(message.url).toBe('http://a.test:81/b');
  });

  it.each<[string, UndiciRequest['headers'], UndiciRequest['headers']]>([
    ['a list', ['A', '1', 'b', ['2', '3'], 'a', '4'], ['b', ['2', '3']]],
    ['a text', 'A: 1\r\nb: 2\r\na: 4\r\n', 'b: 2\r\n'],
  ])('replaces headers in %s', (_name, headers, rest) => {
    const { added, message, sent } = request(headers);
    expect(message.replaceHeaders(['a', 'absent'], { a: '5' })).toBe(true);
    expect(sent.headers).toEqual(rest);
    expect(added).toEqual([['a', '5']]);
  });

  it('returns false if it cannot replace headers', () => {
    const { added, message, sent } = request('');
    Object.defineProperty(sent, 'headers', { get: () => 'A: 1\r\n', set() {} });
    expect(message.replaceHeaders(['a'], { a: '5' })).toBe(false);
    expect(added).toEqual([]);
  });

  it('has a response with headers as bytes or as texts', () => {
    const headers = [Buffer.from('X-A'), Buffer.from('1'), 'x-b', '2', 'X-a', '3'];
    const answer = new UndiciResponse({ statusCode: 200, headers });
    expect([answer.header('x-a'), answer.header('x-b'), answer.header('x-c')]).toEqual([['1', '3'], '2', undefined]);
  });

  it('has a response with headers by name, over HTTP/2', () => {
    const answer = new UndiciResponse({ statusCode: 200, headers: { 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] } });
    expect([answer.header('x-a'), answer.header('set-cookie'), answer.header('x-c')]).toEqual([
      '1',
      ['a=1', 'b=2'],
      undefined,
    ]);
  });
});

describe('the caller of a request of undici', () => {
  recordSpans();
  const KEY = createContextKey('who');
  const whose = (request: object) => undiciCaller(request).getValue(KEY);
  const as = <T>(who: string, work: () => T) => contextManager.with(ROOT_CONTEXT.setValue(KEY, who), work);

  it('is the context in which its handler was created, wherever it is announced', () => {
    const handler = as('caller', () => new AsyncResource('UNDICI_REQUEST'));
    expect(as('another request', () => whose({ [Symbol('handler')]: handler }))).toBe('caller');
    expect(as('another request', () => whose({ [Symbol('handler')]: handler }))).toBe('caller');
  });

  it('is the active context if the handler has none', () => {
    const storage = new AsyncLocalStorage();
    expect(as('active', () => whose({ [Symbol('handler')]: { storage } }))).toBe('active');
    expect(as('active', () => whose({}))).toBe('active');
  });
});

describe('a message of node:http', () => {
  const create = (options: ClientRequestArgs) => {
    const request = new ClientRequest(options).on('error', () => {});
    request.destroy();
    return request;
  };

  it.each<[ClientRequestArgs, string]>([
    [{ host: 'a.test', path: '/b?c' }, 'http://a.test/b?c'],
    [{ host: 'a.test', port: 81 }, 'http://a.test:81/'],
    [{ host: '::1', port: 81 }, 'http://[::1]:81/'],
    [{ host: '127.0.0.1', headers: { host: 'shop.test' } }, 'http://127.0.0.1/'],
    [{ host: '::1', setHost: false }, 'http://[::1]/'],
    [{ host: '127.0.0.1', headers: ['Host', 'shop.test:81'] }, 'http://127.0.0.1/'],
    [{ socketPath: '/nowhere.sock', path: '/b' }, 'http://localhost/b'],
    [{ host: 'proxy.test', path: 'http://shop.test/b' }, 'http://shop.test/b'],
  ])('to %j asks for %s', (options, expected) => {
    expect(new NodeMessage(create(options)).url).toBe(expected);
  });

  it('replaces headers in any case, and all of the same name', () => {
    const request = create({ host: 'a.test', headers: { 'X-A': ['1', '2'], 'x-b': '3' } });
    expect(new NodeMessage(request).replaceHeaders(['x-a', 'X-C'], { 'x-a': '4' })).toBe(true);
    expect({ ...request.getHeaders() }).toEqual({ host: 'a.test', 'x-b': '3', 'x-a': '4' });
  });

  it('replaces headers of a list while they wait for the body or a connection', () => {
    const headers = ['Host', 'a.test', 'X-A', '1', 'x-a', '2', 'X-B', '3'];
    const request = create({ host: 'a.test', headers });
    const message = new NodeMessage(request);
    expect(message.header('x-a')).toEqual(['1', '2']);
    expect(message.replaceHeaders(['x-a'], { 'x-a': '4' })).toBe(true);
    const { _header: head } = request as unknown as { _header: string };
    expect(head).toMatch(/^GET \/ HTTP\/1.1\r\nHost: a.test\r\nX-B: 3\r\n.*x-a: 4\r\n\r\n$/s);
    request.end('body');
    const queue = request as unknown as { outputData: { data: string }[]; outputSize: number };
    const size = queue.outputSize;
    expect(message.replaceHeaders(['x-a'], { 'x-a': '5678' })).toBe(true);
    expect(queue.outputData[0]!.data).toContain('x-a: 5678\r\n\r\n');
    expect(queue.outputSize).toBe(size + 3);
    queue.outputData.length = 0;
    expect(message.replaceHeaders(['x-a'], {})).toBe(false);
  });
});
