import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { setDiagnosticsSink } from '../../../lib/core/diagnostics.js';
import { resolveProxy } from '../../../lib/options/proxy.js';

const PROXY = 'http://proxy:3128';

describe('the proxy of a receiver', () => {
  let warnings: string[];
  beforeEach(() => {
    warnings = [];
    setDiagnosticsSink({ warn: (message) => warnings.push(message) });
  });
  afterEach(() => setDiagnosticsSink());

  it.each<[string, Record<string, string>, string | undefined]>([
    ['https://otlp.example.com', {}, undefined],
    ['https://otlp.example.com', { HTTPS_PROXY: PROXY }, PROXY],
    ['https://otlp.example.com', { https_proxy: PROXY, HTTPS_PROXY: 'http://other' }, PROXY],
    ['https://otlp.example.com', { HTTPS_PROXY: 'proxy:3128' }, PROXY],
    ['https://otlp.example.com', { HTTPS_PROXY: '  ' }, undefined],
    ['https://otlp.example.com', { HTTP_PROXY: PROXY }, undefined],
    ['http://collector:4318', { HTTP_PROXY: PROXY }, PROXY],
    ['http://collector:4318', { HTTPS_PROXY: PROXY }, undefined],
    ['http://localhost:4318', { HTTP_PROXY: PROXY }, undefined],
    ['http://127.0.0.1:4318', { HTTP_PROXY: PROXY }, undefined],
    ['http://[::1]:4318', { HTTP_PROXY: PROXY }, undefined],
  ])('for %s with %j is %s', (receiver, env, expected) => {
    expect(resolveProxy(new URL(receiver), env)).toBe(expected);
    expect(warnings).toEqual([]);
  });

  it.each([
    ['*', true],
    ['otlp.example.com', true],
    ['example.com', true],
    ['.example.com', true],
    ['*.example.com', true],
    ['EXAMPLE.COM', true],
    ['other.com, example.com', true],
    ['other.com example.com', true],
    ['example.com:443', true],
    ['example.com:4318', false],
    ['ample.com', false],
    ['com', true],
    ['', false],
    [',', false],
  ])('is not used if NO_PROXY is %j: %s', (noProxy, isExempt) => {
    const env = { HTTPS_PROXY: PROXY, NO_PROXY: noProxy };
    expect(resolveProxy(new URL('https://otlp.example.com'), env)).toBe(isExempt ? undefined : PROXY);
  });

  it('is ignored with a warning if it is no address', () => {
    expect(resolveProxy(new URL('https://otlp.example.com'), { HTTPS_PROXY: 'socks5://proxy' })).toBeUndefined();
    expect(warnings).toEqual(['The variable HTTPS_PROXY is ignored, because it is no address of an HTTP proxy.']);
  });
});
