import { describe, expect, it } from '@jest/globals';
import { clientResponseAttributes, clientRequestAttributes } from '../../../../lib/http/client/attributes.js';
import { parseUrl } from '../../../../lib/http/client/url.js';
import { DEFAULT_KNOWN_METHODS } from '../../../../lib/options/known-methods.js';

const options = { knownMethods: DEFAULT_KNOWN_METHODS, redactQuery: () => false };

const message = (url: string, method = 'GET', socketPath?: string) => ({
  method,
  url,
  origin: '',
  socketPath,
  header: () => undefined,
  setHeader: () => {},
  replaceHeaders: () => false,
});

describe('clientRequestAttributes()', () => {
  it.each([
    ['http://shop.test/a', 'shop.test', 80],
    ['https://shop.test/a', 'shop.test', 443],
    ['https://shop.test:8443/a', 'shop.test', 8443],
    ['http://[::1]:3000/a', '::1', 3000],
    ['http://127.0.0.1/a', '127.0.0.1', 80],
    ['not a url', undefined, undefined],
  ])('%s is served by %s at %s', (url, address, port) => {
    const attributes = clientRequestAttributes(message(url), parseUrl(url), options);
    expect(attributes['server.address']).toBe(address);
    expect(attributes['server.port']).toBe(port);
    expect(attributes['url.full']).toBe(url);
    expect(Object.values(attributes)).not.toContain(undefined);
  });

  it('have known methods, and the original of an unknown one', () => {
    const url = 'http://shop.test/a';
    expect(clientRequestAttributes(message(url, 'PROPFIND'), parseUrl(url), options)).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PROPFIND',
    });
    expect(clientRequestAttributes(message(url, 'PATCH'), parseUrl(url), options)).not.toHaveProperty([
      'http.request.method_original',
    ]);
  });

  it('have the path of a Unix socket instead of host and port', () => {
    const url = 'http://localhost/a';
    const attributes = clientRequestAttributes(message(url, 'GET', '/run/x.sock'), parseUrl(url), options);
    expect(attributes['server.address']).toBe('/run/x.sock');
    expect(attributes).not.toHaveProperty(['server.port']);
  });
});

describe('clientResponseAttributes()', () => {
  it('omit unknown values', () => {
    expect(clientResponseAttributes(undefined, {})).toEqual({});
    expect(clientResponseAttributes(204, { peerAddress: '::1', peerPort: 80, protocolVersion: '2' })).toEqual({
      'http.response.status_code': 204,
      'network.peer.address': '::1',
      'network.peer.port': 80,
      'network.protocol.version': '2',
    });
  });
});
