import { describe, expect, it } from '@jest/globals';
import { resolveExporters } from '../../../lib/options/exporter.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';

type Env = Record<string, string>;

function exporter(given: unknown, env: Env = {}) {
  const [first] = resolveExporters(given as TracingOptions['exporter'], env);
  return first as unknown as Record<string, unknown>;
}

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';

describe('the otlp exporter', () => {
  it.each<[protocol: string, endpoint: string | undefined, env: Env, url: string]>([
    ['http/protobuf', undefined, {}, 'http://localhost:4318/v1/traces'],
    ['grpc', undefined, {}, 'http://localhost:4317'],
    ['http/json', 'http://a:1', {}, 'http://a:1/v1/traces'],
    ['http/json', 'http://a:1/', {}, 'http://a:1/v1/traces'],
    ['http/json', 'http://a:1/otlp', {}, 'http://a:1/otlp/v1/traces'],
    ['http/json', 'http://a:1/otlp//', {}, 'http://a:1/otlp/v1/traces'],
    ['http/json', 'http://a:1/v1/traces', {}, 'http://a:1/v1/traces'],
    ['http/json', 'http://a:1/x/v1/traces/', {}, 'http://a:1/x/v1/traces'],
    ['http/json', 'https://a/x?tenant=1', {}, 'https://a/x/v1/traces?tenant=1'],
    ['http/json', undefined, { [ENDPOINT]: 'http://b:2/base' }, 'http://b:2/base/v1/traces'],
    [
      'http/json',
      undefined,
      { [TRACES_ENDPOINT]: 'http://c:3/as/it/is', [ENDPOINT]: 'http://b:2' },
      'http://c:3/as/it/is',
    ],
    ['http/json', 'http://a:1', { [TRACES_ENDPOINT]: 'http://c:3', [ENDPOINT]: 'http://b:2' }, 'http://a:1/v1/traces'],
    ['grpc', 'http://a:1/v1/traces', {}, 'http://a:1'],
    ['grpc', 'https://a:1', {}, 'https://a:1'],
    ['grpc', undefined, { [TRACES_ENDPOINT]: 'https://c:3', [ENDPOINT]: 'b:2' }, 'https://c:3'],
  ])('over %s with endpoint %s and %j sends to %s', (protocol, endpoint, env, url) => {
    expect(exporter({ type: 'otlp', protocol, endpoint }, env).url).toBe(url);
  });

  it.each<[setting: string, value: unknown, variable: string, text: string, parsed: unknown]>([
    ['protocol', 'grpc', 'PROTOCOL', 'http/json', 'http/json'],
    ['timeout', 600, 'TIMEOUT', '700', 700],
    ['compression', 'none', 'COMPRESSION', 'gzip', 'gzip'],
  ])('%s: option, variable for traces, variable for all signals, default', (setting, value, variable, text, parsed) => {
    const all = { [`OTEL_EXPORTER_OTLP_${variable}`]: text };
    const traces = {
      ...all,
      [`OTEL_EXPORTER_OTLP_${variable}`]: 'nonsense',
      [`OTEL_EXPORTER_OTLP_TRACES_${variable}`]: text,
    };
    expect(exporter({ type: 'otlp', [setting]: value }, traces)[setting]).toBe(value);
    expect(exporter('otlp', traces)[setting]).toBe(parsed);
    expect(exporter('otlp', all)[setting]).toBe(parsed);
    expect(exporter('otlp')[setting]).not.toBe(parsed);
  });

  it('merges headers regardless of case, in the order option, variable for traces, variable for all signals', () => {
    const env = {
      OTEL_EXPORTER_OTLP_HEADERS: 'Authorization=Basic%20YWI%3D, X-Tenant=a%2Cb,only-all=1,',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-TENANT=traces, x-base64=YQ==',
    };
    const headers = { 'X-Base64': 'option', 'X-None': undefined };
    expect(exporter({ type: 'otlp', headers }, env).headers).toEqual({
      authorization: 'Basic YWI=',
      'x-tenant': 'traces',
      'only-all': '1',
      'x-base64': 'option',
    });
  });

  it('reads the certificate files, from a variable for traces first', () => {
    const env = {
      OTEL_EXPORTER_OTLP_CERTIFICATE: 'all.pem',
      OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE: 'traces.pem',
      OTEL_EXPORTER_OTLP_CLIENT_KEY: 'key.pem',
    };
    expect(exporter('otlp', env).tls).toEqual({
      certificate: { variable: 'OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE', path: 'traces.pem' },
      clientCertificate: undefined,
      clientKey: { variable: 'OTEL_EXPORTER_OTLP_CLIENT_KEY', path: 'key.pem' },
    });
  });

  it.each<[given: object, option: string, fix: string]>([
    [{ endpoint: 'localhost:4318' }, 'exporter.endpoint', 'http:// or https://'],
    [{ endpoint: 'ftp://a' }, 'exporter.endpoint', 'http:// or https://'],
    [{ endpoint: 'http://' }, 'exporter.endpoint', 'http:// or https://'],
    [{ endpoint: '' }, 'exporter.endpoint', 'leave it out'],
    [{ protocol: 'grpc', endpoint: 'unix:///tmp/x' }, 'exporter.endpoint', 'http:// or https://'],
    [{ protocol: 'http' }, 'exporter.protocol', 'Use one of: http/protobuf, http/json, grpc.'],
    [{ compression: 'br' }, 'exporter.compression', 'Use one of: gzip, none.'],
    [{ timeout: 0 }, 'exporter.timeout', 'from 1'],
    [{ headers: 'x-api-key' }, 'exporter.headers', 'Give an object'],
    [{ headers: { 'x key': '1' } }, 'exporter.headers.x key', 'name of a header'],
    [{ headers: { 'x-key': true } }, 'exporter.headers.x-key', 'one line of text'],
    [{ headers: { 'x-key': 'a\nb: c' } }, 'exporter.headers.x-key', 'one line of text'],
    [{ headers: { 'x-key': '€' } }, 'exporter.headers.x-key', 'characters that a header may have'],
    [{ protocol: 'grpc', headers: { 'x!': '1' } }, 'exporter.headers.x!', 'gRPC allows'],
    [{ protocol: 'grpc', headers: { 'x-bin': '1' } }, 'exporter.headers.x-bin', 'gRPC allows'],
    [{ protocol: 'grpc', endpoint: 'a:b' }, 'exporter.endpoint', 'host:port'],
  ])('refuses %j, naming %s', (given, option, fix) => {
    const call = () => exporter({ type: 'otlp', ...given });
    expect(call).toThrow(expect.objectContaining({ option }));
    expect(call).toThrow(fix);
  });

  it.each<[given: object]>([
    [{ headers: 'hunter2' }],
    [{ headers: { 'x-key': 'hunter2\n' } }],
    [{ endpoint: 'ftp://me:hunter2@a' }],
    [{ endpoint: 'a:4318?key=hunter2' }],
  ])('shows no secret in the error about %j', (given) => {
    expect(() => exporter({ type: 'otlp', ...given })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe('the jaeger exporter', () => {
  const ENV = {
    OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://env:14268/api/traces',
    OTEL_EXPORTER_JAEGER_AGENT_HOST: 'agent',
    OTEL_EXPORTER_JAEGER_AGENT_PORT: '1000',
  };
  const { OTEL_EXPORTER_JAEGER_ENDPOINT: _, ...AGENT } = ENV;
  const USER = { OTEL_EXPORTER_JAEGER_USER: 'me', OTEL_EXPORTER_JAEGER_PASSWORD: 'hunter2' };

  it.each<[given: object, env: Env, expected: object]>([
    [{}, {}, { host: 'localhost', port: 6832 }],
    [{ endpoint: undefined }, AGENT, { host: 'agent', port: 1000 }],
    [{ endpoint: undefined }, ENV, { endpoint: 'http://env:14268/api/traces' }],
    [{ host: 'mine' }, AGENT, { host: 'mine', port: 1000 }],
    [{ port: '6833' }, ENV, { host: 'agent', port: 6833 }],
    [{ host: 'mine' }, ENV, { host: 'mine', port: 1000 }],
    [{ host: undefined, port: undefined, endpoint: 'http://mine/x' }, ENV, { endpoint: 'http://mine/x' }],
    [{ endpoint: 'http://mine:14268' }, {}, { endpoint: 'http://mine:14268/api/traces' }],
    [{}, { ...ENV, ...USER }, { endpoint: ENV.OTEL_EXPORTER_JAEGER_ENDPOINT, username: 'me', password: 'hunter2' }],
    [
      { endpoint: 'http://mine/x', username: 'you' },
      USER,
      { endpoint: 'http://mine/x', username: 'you', password: 'hunter2' },
    ],
    [{ host: 'mine' }, USER, { host: 'mine', port: 6832 }],
  ])('%j with %j is %j', (given, env, expected) => {
    expect(exporter({ type: 'jaeger', ...given }, env)).toEqual({ type: 'jaeger', ...expected });
  });

  it.each<[given: object, option: string]>([
    [{ host: 'a', endpoint: 'http://b' }, 'exporter.host'],
    [{ port: 1, endpoint: 'http://b' }, 'exporter.port'],
    [{ host: 'a', username: 'me', password: 'hunter2' }, 'exporter.host'],
    [{ username: 'me', password: 'hunter2' }, 'exporter.username'],
    [{ password: 'hunter2' }, 'exporter.password'],
    [{ endpoint: 'http://a', username: 'me' }, 'exporter.username'],
    [{ endpoint: 'http://a', password: 'hunter2' }, 'exporter.password'],
    [{ endpoint: 'jaeger:14268' }, 'exporter.endpoint'],
    [{ host: 'http://jaeger' }, 'exporter.host'],
    [{ port: 65_536 }, 'exporter.port'],
  ])('refuses %j, naming %s and no password', (given, option) => {
    const message = expect.not.stringContaining('hunter2');
    expect(() => exporter({ type: 'jaeger', ...given })).toThrow(expect.objectContaining({ option, message }));
  });
});
