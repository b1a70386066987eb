import { describe, expect, it } from '@jest/globals';
import type { RequestSnapshot } from '../../../../lib/http/server/request-snapshot.js';
import {
  serverRequestAttributes,
  serverResponseAttributes,
  splitTarget,
} from '../../../../lib/http/server/attributes.js';
import type { FrameworkRequest } from '../../../../lib/http/server/framework-request.js';
import { DEFAULT_KNOWN_METHODS } from '../../../../lib/options/known-methods.js';
import type { HttpResponse } from '../../../../lib/options/http.js';

const snapshot: RequestSnapshot = {
  method: 'GET',
  target: '/users/1',
  encrypted: false,
  peerAddress: '10.0.0.1',
  peerPort: 5000,
};

function attributesOf(
  more: Partial<RequestSnapshot> = {},
  headers: Record<string, string> = {},
  framework?: FrameworkRequest,
  version = '1.1',
) {
  return serverRequestAttributes({ ...snapshot, ...more }, headers, version, framework, {
    knownMethods: DEFAULT_KNOWN_METHODS,
    redactQuery: (name) => name === 'token',
  });
}

describe('splitTarget()', () => {
  it.each([
    ['/', '/', undefined],
    ['/a/b', '/a/b', undefined],
    ['/a?b=c', '/a', 'b=c'],
    ['/a?b?c', '/a', 'b?c'],
    ['/a?', '/a', undefined],
    ['?a=b', '/', 'a=b'],
    ['*', '*', undefined],
    ['//host/path', '//host/path', undefined],
    ['/a://b', '/a://b', undefined],
    ['http://host/a?b=c', '/a', 'b=c'],
    ['http://user:pass@host:80/a', '/a', undefined],
    ['http://host', '/', undefined],
    ['http://host?a=b', '/', 'a=b'],
    ['HTTPS://host/a', '/a', undefined],
  ])('of %s is %s and %s', (target, path, query) => {
    expect(splitTarget(target)).toEqual({ path, query });
  });
});

describe('serverRequestAttributes()', () => {
  it('are those of the connection where no framework has seen the request', () => {
    expect(
      attributesOf({ target: '/users/1?token=t&a=b' }, { host: 'shop.test:8080', 'user-agent': 'curl/8' }),
    ).toEqual({
      'http.request.method': 'GET',
      'url.path': '/users/1',
      'url.query': 'token=REDACTED&a=b',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
      'server.address': 'shop.test',
      'server.port': 8080,
      'client.address': '10.0.0.1',
      'network.peer.address': '10.0.0.1',
      'network.peer.port': 5000,
      'user_agent.original': 'curl/8',
    });
  });

  it('leave out what is not known', () => {
    expect(attributesOf({ peerAddress: undefined, peerPort: undefined })).toEqual({
      'http.request.method': 'GET',
      'url.path': '/users/1',
      'url.scheme': 'http',
      'network.protocol.version': '1.1',
    });
  });

  it('name the method that they do not know', () => {
    expect(attributesOf({ method: 'PROPFIND' })).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PROPFIND',
    });
  });

  it.each([
    ['shop.test', undefined, 'shop.test', undefined],
    ['shop.test:80', undefined, 'shop.test', 80],
    ['[::1]:3000', undefined, '::1', 3000],
    ['[::1]', '[::1]', '::1', undefined],
    ['shop.test:3000', 'shop.test', 'shop.test', 3000],
    ['internal:3000', 'shop.test', 'shop.test', undefined],
    ['internal:3000', 'shop.test:443', 'shop.test', 443],
    ['internal:3000', '', 'internal', 3000],
    ['a:b:c', undefined, undefined, undefined],
    ['shop.test:123456', undefined, undefined, undefined],
  ])('for Host %s and the host name %s name the server %s, %s', (host, hostname, address, port) => {
    const attributes = attributesOf({}, { host }, { hostname });
    expect([attributes['server.address'], attributes['server.port']]).toEqual([address, port]);
  });

  it('prefer the authority of HTTP/2', () => {
    const attributes = attributesOf({}, { ':authority': 'shop.test:8443', host: 'elsewhere.test' }, undefined, '2.0');
    expect(attributes).toMatchObject({
      'server.address': 'shop.test',
      'server.port': 8443,
      'network.protocol.version': '2',
    });
  });

  it.each([
    [false, undefined, 'http'],
    [true, undefined, 'https'],
    [false, 'https', 'https'],
    // The framework may look at a connection that is gone.
    [true, 'http', 'https'],
  ])('encrypted %s, protocol %s: the scheme is %s', (encrypted, protocol, scheme) => {
    expect(attributesOf({ encrypted }, {}, { protocol })['url.scheme']).toBe(scheme);
  });

  it('take the client from the framework, which knows the trusted proxies', () => {
    expect(attributesOf({}, {}, { ip: '203.0.113.9' })).toMatchObject({
      'client.address': '203.0.113.9',
      'network.peer.address': '10.0.0.1',
    });
  });
});

describe('serverResponseAttributes()', () => {
  it.each([
    [true, 204, { 'http.response.status_code': 204 }],
    [false, 200, {}],
  ])('headers sent %s, status %i: %j', (headersSent, statusCode, attributes) => {
    expect(serverResponseAttributes({ headersSent, statusCode } as HttpResponse)).toEqual(attributes);
  });
});
