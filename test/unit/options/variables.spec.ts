import { describe, expect, it } from '@jest/globals';
import { LONGEST_TIMER } from '../../../lib/options/parse.js';
import { resolveOptions, type ResolvedOptions } from '../../../lib/options/resolve-options.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

type Env = Record<string, string>;

const warnings = recordWarnings();

function resolve(env: Env, options: TracingOptions = {}): ResolvedOptions {
  return resolveOptions(options, env, () => ({ name: 'orders', version: '1.2.3' }));
}

const exporterOf = (env: Env, options: TracingOptions = {}) => resolve(env, options).exporters[0];
const JAEGER = { OTEL_TRACES_EXPORTER: 'jaeger' };
const REMOTE = { OTEL_TRACES_SAMPLER: 'jaeger_remote' };
const GRPC = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' };

describe('a variable that cannot be used is ignored with a warning', () => {
  it.each<[variable: string, value: string, fix: string, more?: Env]>([
    ['OTEL_TRACES_SAMPLER', 'xray', 'Use one of: always_on'],
    ['OTEL_TRACES_SAMPLER', 'parentbased-always-on', 'Did you mean "parentbased_always_on"?'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half', 'from 0 to 1', { OTEL_TRACES_SAMPLER: 'traceidratio' }],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'from 0 to 1', { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio' }],
    ['OTEL_TRACES_SAMPLER_ARG', '0.5', 'malformed', REMOTE],
    ['OTEL_TRACES_SAMPLER_ARG', 'endpoint=jaeger', 'http://', REMOTE],
    ['OTEL_TRACES_SAMPLER_ARG', 'endpoint=http://jaeger:5778,pollingIntervalMs=5s', 'milliseconds', REMOTE],
    ['OTEL_TRACES_SAMPLER_ARG', 'initialSamplingRate=7', 'from 0 to 1', REMOTE],
    ['OTEL_TRACES_SAMPLER_ARG', 'endpiont=http://jaeger:5778', 'Did you mean "endpoint"?', REMOTE],
    ['OTEL_BSP_SCHEDULE_DELAY', '5s', 'milliseconds'],
    ['OTEL_BSP_SCHEDULE_DELAY', '-1', 'milliseconds'],
    ['OTEL_BSP_EXPORT_TIMEOUT', '30s', 'milliseconds'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '0', 'of at least 1'],
    ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE', '-5', 'of at least 1'],
    ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 'many', 'whole number'],
    ['OTEL_ATTRIBUTE_COUNT_LIMIT', '1.5', 'whole number'],
    ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 'unlimited', 'whole number'],
    ['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', '0', 'of at least 1'],
    ['OTEL_SPAN_EVENT_COUNT_LIMIT', '-1', 'of at least 0'],
    ['OTEL_SPAN_LINK_COUNT_LIMIT', '0x10', 'whole number'],
    ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 'x', 'whole number'],
    ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 'x', 'whole number'],
    ['OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT', 'x', 'whole number'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http', 'Use one of: http/protobuf'],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'gprc', 'Did you mean "grpc"?'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'http:// or https://'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'ftp://collector', 'http:// or https://'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'unix:///tmp/x', 'http:// or https://', GRPC],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:port', 'host:port', GRPC],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '10s', 'milliseconds'],
    ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', '-10', 'milliseconds'],
    ['OTEL_EXPORTER_OTLP_COMPRESSION', 'zstd', 'Use one of: gzip, none'],
    ['OTEL_EXPORTER_OTLP_HEADERS', 'Bearer', 'malformed'],
    ['OTEL_EXPORTER_JAEGER_ENDPOINT', 'jaeger:14268', 'http:// or https://', JAEGER],
    ['OTEL_EXPORTER_JAEGER_AGENT_HOST', 'http://agent', 'host alone', JAEGER],
    ['OTEL_EXPORTER_JAEGER_AGENT_PORT', '65536', 'from 1 to 65535', JAEGER],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=50%', 'percent-encode'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=b,team', 'key=value'],
    ['OTEL_RESOURCE_ATTRIBUTES', 'a=b,=c', 'key=value'],
    ['OTEL_PROPAGATORS', 'ottrace', 'Use one of: tracecontext'],
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'Use one of: otlp'],
    ['OTEL_NODE_RESOURCE_DETECTORS', 'gcp', 'Use one of: all'],
    ['OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS', 'GET POST', 'methods of HTTP'],
    ['OTEL_SDK_DISABLED', '1', 'Use true or false.'],
    ['OTEL_SDK_DISABLED', 'yes', 'Use true or false.'],
  ])('%s=%s', (variable, value, fix, more = {}) => {
    const unset = resolve(more);
    expect(warnings).toEqual([]);
    expect(resolve({ ...more, [variable]: value })).toEqual({
      ...unset,
      // They contain functions, which other tests call.
      http: expect.anything(),
      grpc: expect.anything(),
      httpClient: expect.anything(),
    });
    expect(warnings).toEqual([expect.stringContaining(`The variable ${variable} `)]);
    expect(warnings[0]).toContain(fix);
  });

  it('is replaced by the variable for all signals', () => {
    const env = {
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'thrift',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'nowhere',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: 'soon',
      OTEL_EXPORTER_OTLP_TIMEOUT: '700',
      OTEL_EXPORTER_OTLP_TRACES_COMPRESSION: 'br',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: 'x',
      OTEL_ATTRIBUTE_COUNT_LIMIT: '7',
    };
    const resolved = resolve(env);
    expect(resolved.exporters[0]).toMatchObject({
      protocol: 'http/json',
      url: 'http://collector:4318/v1/traces',
      timeout: 700,
      compression: 'gzip',
    });
    expect(resolved.limits.attributeCount).toBe(7);
    expect(warnings).toHaveLength(5);
  });

  it('is not read if an option has the value', () => {
    resolve(
      { OTEL_TRACES_EXPORTER: 'zipkin', OTEL_PROPAGATORS: 'ottrace', OTEL_TRACES_SAMPLER: 'x', OTEL_SDK_DISABLED: '1' },
      { enabled: true, exporter: 'memory', propagators: 'b3', sampler: 'always_on' },
    );
    expect(warnings).toEqual([]);
  });

  it('is not read if tracing is disabled', () => {
    expect(resolve({ OTEL_SDK_DISABLED: 'TRUE', OTEL_PROPAGATORS: 'ottrace' }).enabled).toBe(false);
    expect(warnings).toEqual([]);
  });

  it('does not replace an option that cannot be used', () => {
    expect(() => resolve({ OTEL_BSP_SCHEDULE_DELAY: '7' }, { batch: { scheduledDelay: -1 } })).toThrow(
      TracingConfigurationError,
    );
  });

  it('causes a warning of one short line', () => {
    resolve({ OTEL_TRACES_SAMPLER: `a\nb${'x'.repeat(10_000)}` });
    expect(warnings[0]).not.toContain('\n');
    expect(warnings[0]!.length).toBeLessThan(600);
  });
});

describe('names in variables', () => {
  it.each<[env: Env, path: keyof ResolvedOptions, expected: unknown]>([
    [{ OTEL_PROPAGATORS: ' TraceContext , B3' }, 'propagators', ['tracecontext', 'b3']],
    [{ OTEL_PROPAGATORS: 'B3,b3' }, 'propagators', ['b3']],
    [{ OTEL_PROPAGATORS: 'XRay,tracecontext,baggage' }, 'propagators', ['xray', 'tracecontext', 'baggage']],
    [{ OTEL_PROPAGATORS: 'None' }, 'propagators', []],
    [{ OTEL_TRACES_EXPORTER: 'Console' }, 'exporters', [{ type: 'console' }]],
    [{ OTEL_TRACES_EXPORTER: 'NONE' }, 'exporters', []],
    [{ OTEL_TRACES_SAMPLER: 'Always_Off' }, 'sampler', { type: 'always_off', ratio: 0 }],
    [{ OTEL_NODE_RESOURCE_DETECTORS: 'ENV,Host' }, 'resourceDetectors', ['env', 'host']],
    [{ OTEL_NODE_RESOURCE_DETECTORS: 'none' }, 'resourceDetectors', []],
    [{ OTEL_NODE_RESOURCE_DETECTORS: ' ' }, 'resourceDetectors', []],
  ])('of %j are compared without case', (env, path, expected) => {
    expect(resolve(env)[path]).toEqual(expected);
    expect(warnings).toEqual([]);
  });

  it('of the OTLP exporter are compared without case', () => {
    const env = { OTEL_EXPORTER_OTLP_PROTOCOL: 'HTTP/JSON', OTEL_EXPORTER_OTLP_COMPRESSION: ' GZip' };
    expect(exporterOf(env)).toMatchObject({ protocol: 'http/json', compression: 'gzip' });
  });

  it('of propagators keep their order, with a warning if services of AWS would replace the trace context of the caller', () => {
    expect(resolve({ OTEL_PROPAGATORS: 'tracecontext,baggage,xray' }).propagators).toEqual([
      'tracecontext',
      'baggage',
      'xray',
    ]);
    expect(warnings).toEqual([expect.stringContaining('OTEL_PROPAGATORS names xray after tracecontext')]);
  });

  it('of options are not', () => {
    expect(() => resolve({}, { sampler: 'Always_Off' as 'always_off' })).toThrow(TracingConfigurationError);
  });
});

describe('lists in variables', () => {
  it.each<[env: Env, path: keyof ResolvedOptions, expected: unknown, ignored: string]>([
    [{ OTEL_PROPAGATORS: 'ottrace,tracecontext' }, 'propagators', ['tracecontext'], '"ottrace"'],
    [{ OTEL_PROPAGATORS: 'a,baggage,b' }, 'propagators', ['baggage'], '"a", "b"'],
    [{ OTEL_PROPAGATORS: 'none,tracecontext' }, 'propagators', ['tracecontext'], '"none"'],
    [{ OTEL_PROPAGATORS: 'none,ottrace' }, 'propagators', [], '"ottrace"'],
    [{ OTEL_TRACES_EXPORTER: 'zipkin,console' }, 'exporters', [{ type: 'console' }], '"zipkin"'],
    [{ OTEL_TRACES_EXPORTER: 'console,none' }, 'exporters', [{ type: 'console' }], '"none"'],
    [{ OTEL_TRACES_EXPORTER: 'logging,none' }, 'exporters', [], '"logging"'],
    [{ OTEL_NODE_RESOURCE_DETECTORS: 'env,gcp' }, 'resourceDetectors', ['env'], '"gcp"'],
  ])('%j lose only the entries that cannot be used', (env, path, expected, ignored) => {
    expect(resolve(env)[path]).toEqual(expected);
    expect(warnings).toEqual([expect.stringContaining(`is ignored in part, because ${ignored} cannot be used. `)]);
  });

  it('of methods lose only the entries that cannot be used', () => {
    const { http, httpClient } = resolve({ OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: 'GET,"POST",PURGE' });
    expect([...http!.knownMethods]).toEqual(['GET', 'PURGE']);
    expect(httpClient?.knownMethods).toBe(http!.knownMethods);
    expect(warnings).toEqual([expect.stringContaining(String.raw`in part, because "\"POST\"" cannot be used`)]);
  });

  it.each<[env: Env, headers: object]>([
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=1,b' }, { a: '1' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: '=1,a=2' }, { a: '2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=%,b=%20x%20,c=1' }, { b: ' x ', c: '1' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'x y=1,a=2' }, { a: '2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=1%0D%0Ab: c,b=2' }, { b: '2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=%E2%82%AC,b=2' }, { b: '2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a!=1,b=2', ...GRPC }, { b: '2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a-bin=1,b=2', ...GRPC }, { b: '2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=%C3%A9,b=2', ...GRPC }, { b: '2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'a=%C3%A9' }, { a: 'é' }],
  ])('of headers lose only the entries that cannot be sent: %j', (env, headers) => {
    expect(exporterOf(env)).toMatchObject({ headers });
    expect(Object.keys((exporterOf(env) as { headers: object }).headers)).toEqual(Object.keys(headers));
    expect(warnings).toHaveLength(env.OTEL_EXPORTER_OTLP_HEADERS === 'a=%C3%A9' ? 0 : 1);
  });

  it('of resource attributes are ignored as a whole, as the specification requires', () => {
    const { resource } = resolve({ OTEL_RESOURCE_ATTRIBUTES: 'service.name=a,team=b,discount=50%' });
    expect(resource).toMatchObject({ 'service.name': 'orders' });
    expect(resource).not.toHaveProperty('team');
    expect(warnings).toHaveLength(1);
  });
});

describe('a boolean variable', () => {
  it.each([
    ['true', false],
    [' TRUE ', false],
    ['false', true],
    ['False', true],
    ['1', true],
    ['on', true],
    ['', true],
  ])('OTEL_SDK_DISABLED=%j leaves tracing enabled: %s', (value, enabled) => {
    expect(resolve({ OTEL_SDK_DISABLED: value }).enabled).toBe(enabled);
    expect(warnings).toHaveLength(value === '1' || value === 'on' ? 1 : 0);
  });
});

describe('timeouts', () => {
  it('of 0 are no limit in a variable', () => {
    const resolved = resolve({ OTEL_BSP_EXPORT_TIMEOUT: '0', OTEL_EXPORTER_OTLP_TIMEOUT: '0' });
    expect(resolved.batch.exportTimeout).toBe(LONGEST_TIMER);
    expect(resolved.exporters[0]).toMatchObject({ timeout: LONGEST_TIMER });
    expect(warnings).toEqual([]);
  });
});

describe('a batch that is larger than the queue', () => {
  it.each<[options: TracingOptions['batch'], env: Env, queue: number, batch: number, variable: string]>([
    [{}, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '4096' }, 2048, 2048, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
    [
      {},
      { OTEL_BSP_MAX_QUEUE_SIZE: '10', OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '20' },
      10,
      10,
      'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    ],
    [{ maxQueueSize: 100 }, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '101' }, 100, 100, 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE'],
    [{ maxExportBatchSize: 1024 }, { OTEL_BSP_MAX_QUEUE_SIZE: '512' }, 512, 512, 'OTEL_BSP_MAX_QUEUE_SIZE'],
  ])('%j with %j is limited to the queue', (batch, env, maxQueueSize, maxExportBatchSize, variable) => {
    expect(resolve(env, { batch }).batch).toMatchObject({ maxQueueSize, maxExportBatchSize });
    expect(warnings).toEqual([expect.stringContaining(`The variable ${variable} `)]);
  });

  it('is refused if both sizes stand in code', () => {
    expect(() => resolve({}, { batch: { maxQueueSize: 10, maxExportBatchSize: 11 } })).toThrow('which is 10');
    expect(() => resolve({}, { batch: { maxExportBatchSize: 4096 } })).toThrow('batch.maxQueueSize');
  });
});

describe('credentials of Jaeger', () => {
  const collector = { ...JAEGER, OTEL_EXPORTER_JAEGER_ENDPOINT: 'http://jaeger/x' };

  it.each([
    ['OTEL_EXPORTER_JAEGER_USER', 'me', 'password'],
    ['OTEL_EXPORTER_JAEGER_PASSWORD', 'hunter2', 'username'],
  ])('are not sent if only %s is set', (variable, value, missing) => {
    expect(exporterOf({ ...collector, [variable]: value })).toEqual({ type: 'jaeger', endpoint: 'http://jaeger/x' });
    expect(warnings).toEqual([expect.stringContaining(`The variable ${variable} is ignored`)]);
    expect(warnings[0]).toContain(`Give the ${missing} too`);
    expect(warnings[0]).not.toContain('hunter2');
  });
});

describe('a warning', () => {
  it.each<[env: Env]>([
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'hunter2' }],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'Bearer hunter2=' }],
    [{ OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'a=hunter2%' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://me:hunter2@collector' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://me:hunter2/x@collector' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector?key=hunter2' }],
    [{ ...JAEGER, OTEL_EXPORTER_JAEGER_AGENT_HOST: 'http://me:hunter2@agent' }],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'api_key=hunter2%' }],
    [{ ...REMOTE, OTEL_TRACES_SAMPLER_ARG: 'endpiont=http://me:hunter2@jaeger' }],
    [{ ...REMOTE, OTEL_TRACES_SAMPLER_ARG: 'endpoint=ftp://me:hunter2@jaeger' }],
  ])('about %j shows no secret', (env) => {
    resolve(env);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).not.toContain('hunter2');
  });
});

describe('an endpoint of OTLP over gRPC', () => {
  const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const INSECURE = 'OTEL_EXPORTER_OTLP_INSECURE';
  const TRACES_INSECURE = 'OTEL_EXPORTER_OTLP_TRACES_INSECURE';

  it.each<[endpoint: string | undefined, env: Env, url: string]>([
    ['a:1', {}, 'https://a:1'],
    ['[::1]:1', {}, 'https://[::1]:1'],
    ['a', {}, 'https://a'],
    ['a:1', { [INSECURE]: 'true' }, 'http://a:1'],
    ['a:1', { [INSECURE]: 'false' }, 'https://a:1'],
    ['a:1', { [TRACES_INSECURE]: 'TRUE' }, 'http://a:1'],
    ['a:1', { [TRACES_INSECURE]: 'false', [INSECURE]: 'true' }, 'https://a:1'],
    ['http://a:1', {}, 'http://a:1'],
    ['http://a:1', { [INSECURE]: 'false' }, 'http://a:1'],
    ['https://a:1', { [INSECURE]: 'true' }, 'https://a:1'],
    [undefined, {}, 'http://localhost:4317'],
    [undefined, { [INSECURE]: 'false' }, 'http://localhost:4317'],
  ])('%s with %j is %s', (endpoint, env, url) => {
    const byVariable = { ...GRPC, ...env, ...(endpoint !== undefined && { [ENDPOINT]: endpoint }) };
    expect(exporterOf(byVariable)).toMatchObject({ url });
    expect(exporterOf(env, { exporter: { type: 'otlp', protocol: 'grpc', endpoint } as never })).toMatchObject({ url });
    expect(warnings).toEqual([]);
  });

  it.each(['1', 'yes'])('uses TLS with a warning if the variable is %s', (insecure) => {
    expect(exporterOf({ ...GRPC, [ENDPOINT]: 'a:1', [INSECURE]: insecure })).toMatchObject({ url: 'https://a:1' });
    expect(warnings).toEqual([expect.stringContaining(`${INSECURE} is "${insecure}", which counts as false`)]);
  });
});
