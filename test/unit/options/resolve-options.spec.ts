import { describe, expect, it } from '@jest/globals';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import { TracingConfigurationError } from '../../../lib/tracing.errors.js';
import type { TracingOptions } from '../../../lib/tracing.options.js';

type Env = Record<string, string>;

const noPackage = () => undefined;

function resolve(options: unknown = {}, env: Env = {}) {
  return resolveOptions(options as TracingOptions, env, noPackage);
}

/** Reads `a/b/c` out of a value. */
function at(value: unknown, path: string): unknown {
  return path.split('/').reduce<unknown>((found, key) => (found as Record<string, unknown>)[key], value);
}

function errorOf(call: () => unknown): TracingConfigurationError {
  try {
    call();
  } catch (error) {
    if (error instanceof TracingConfigurationError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const keep = (given: object) => ({ errors: false, slowerThan: Infinity, partialTraces: false, ...given });
const ratio = (value: number) => ({ type: 'parentbased_traceidratio', ratio: value });

describe('resolveOptions', () => {
  it('has a default for every option', () => {
    expect(resolve()).toMatchObject({
      enabled: true,
      resource: { 'service.name': 'unknown_service:node' },
      resourceDetectors: [],
      exporters: [
        {
          type: 'otlp',
          protocol: 'http/protobuf',
          url: 'http://localhost:4318/v1/traces',
          headers: {},
          timeout: 10_000,
          compression: 'none',
        },
      ],
      batch: { maxQueueSize: 2048, maxExportBatchSize: 512, scheduledDelay: 5000, exportTimeout: 30_000 },
      sampler: { type: 'parentbased_always_on' },
      propagators: ['tracecontext', 'baggage'],
      limits: {
        attributeCount: 128,
        attributeValueLength: 8192,
        eventCount: 128,
        linkCount: 128,
        attributePerEventCount: 128,
        attributePerLinkCount: 128,
      },
      http: { ignore: undefined, requestHeaders: [], responseHeaders: [], spanName: undefined },
      shutdown: { timeout: 5000, onProcessExit: false },
      providerOptionsGiven: [],
    });
  });

  const precedence: [path: string, option: TracingOptions, env: Env, fromOption: unknown, fromEnv: unknown][] = [
    ['enabled', { enabled: true }, { OTEL_SDK_DISABLED: 'TRUE' }, true, false],
    ['resource/service.name', { serviceName: 'a' }, { OTEL_SERVICE_NAME: 'b' }, 'a', 'b'],
    ['batch/maxQueueSize', { batch: { maxQueueSize: 600 } }, { OTEL_BSP_MAX_QUEUE_SIZE: '700' }, 600, 700],
    ['batch/maxExportBatchSize', { batch: { maxExportBatchSize: 6 } }, { OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '7' }, 6, 7],
    ['batch/scheduledDelay', { batch: { scheduledDelay: 0 } }, { OTEL_BSP_SCHEDULE_DELAY: '7' }, 0, 7],
    ['batch/exportTimeout', { batch: { exportTimeout: 6 } }, { OTEL_BSP_EXPORT_TIMEOUT: '7' }, 6, 7],
    ['limits/attributeCount', { limits: { attributeCount: 6 } }, { OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT: '7' }, 6, 7],
    [
      'limits/attributeValueLength',
      { limits: { attributeValueLength: 6 } },
      { OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT: '7' },
      6,
      7,
    ],
    ['limits/eventCount', { limits: { eventCount: 0 } }, { OTEL_SPAN_EVENT_COUNT_LIMIT: '7' }, 0, 7],
    ['limits/linkCount', { limits: { linkCount: 6 } }, { OTEL_SPAN_LINK_COUNT_LIMIT: '7' }, 6, 7],
    ['sampler/type', { sampler: 'always_off' }, { OTEL_TRACES_SAMPLER: 'always_on' }, 'always_off', 'always_on'],
    [
      'sampler',
      { sampler: { ratio: 0.5 } },
      { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.25' },
      ratio(0.5),
      ratio(0.25),
    ],
    [
      'propagators',
      { propagators: 'b3' },
      { OTEL_PROPAGATORS: 'jaeger, b3multi,,jaeger' },
      ['b3'],
      ['jaeger', 'b3multi'],
    ],
    ['propagators', { propagators: ['b3', 'baggage'] }, { OTEL_PROPAGATORS: 'none' }, ['b3', 'baggage'], []],
    ['exporters', { exporter: 'console' }, { OTEL_TRACES_EXPORTER: 'none' }, [{ type: 'console' }], []],
    [
      'exporters',
      { exporter: [{ type: 'memory' }, 'console'] },
      { OTEL_TRACES_EXPORTER: 'console,memory,console' },
      [{ type: 'memory' }, { type: 'console' }],
      [{ type: 'console' }, { type: 'memory' }],
    ],
  ];

  it.each(precedence)(
    '%s: %j goes before %j, and both before the default',
    (path, option, env, fromOption, fromEnv) => {
      const read = (resolved: unknown) =>
        path === 'resource/service.name' ? at(at(resolved, 'resource'), 'service.name') : at(resolved, path);
      expect(read(resolve(option, env))).toEqual(fromOption);
      expect(read(resolve({}, env))).toEqual(fromEnv);
      expect(read(resolve({}, {}))).not.toEqual(fromEnv);
    },
  );

  it.each(precedence)('%s: blank variables and undefined options count as absent (%j)', (path, option, env) => {
    const blank = Object.fromEntries(Object.keys(env).map((name) => [name, '  ']));
    const undefinedOption = Object.fromEntries(Object.keys(option).map((name) => [name, undefined]));
    expect(at(resolve(undefinedOption, blank), path)).toEqual(at(resolve(), path));
  });

  it.each([
    ['limits/attributeCount', { OTEL_ATTRIBUTE_COUNT_LIMIT: '9' }],
    ['limits/attributeValueLength', { OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT: '9' }],
    [
      'limits/attributePerEventCount',
      { OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT: '9', OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT: '8' },
    ],
    ['limits/attributePerEventCount', { OTEL_SPAN_ATTRIBUTE_PER_EVENT_COUNT_LIMIT: '9' }],
    [
      'limits/attributePerLinkCount',
      { OTEL_LINK_ATTRIBUTE_COUNT_LIMIT: '9', OTEL_SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT: '8' },
    ],
    ['limits/attributePerLinkCount', { OTEL_SPAN_ATTRIBUTE_PER_LINK_COUNT_LIMIT: '9' }],
  ])('%s is also set by %j', (path, env) => {
    expect(at(resolve({}, env as Env), path)).toBe(9);
  });

  it.each([
    ['batch/maxQueueSize', { batch: { maxQueueSize: ' 1024 ' } }, 1024],
    ['limits/eventCount', { limits: { eventCount: '1e2' } }, 100],
    ['sampler/ratio', { sampler: { ratio: '.25' } }, 0.25],
    ['shutdown/timeout', { shutdown: { timeout: '0' } }, 0],
    ['shutdown/onProcessExit', { shutdown: { onProcessExit: 'true' } }, true],
    ['enabled', { enabled: 'False' }, false],
    ['sampler/type', { sampler: { ratio: '1', parentBased: 'false' } }, 'traceidratio'],
  ])('%s accepts texts from configuration files: %j', (path, option, expected) => {
    expect(at(resolve(option), path)).toBe(expected);
  });

  it.each([
    [{ sampler: 'traceidratio' }, { OTEL_TRACES_SAMPLER_ARG: '0.5' }, { type: 'traceidratio', ratio: 0.5 }],
    [{ sampler: 'traceidratio' }, {}, { type: 'traceidratio', ratio: 1 }],
    [{}, { OTEL_TRACES_SAMPLER: 'always_on', OTEL_TRACES_SAMPLER_ARG: 'of no use' }, { type: 'always_on', ratio: 1 }],
    [{ sampler: { ratio: 0 } }, {}, ratio(0)],
    [{ sampler: { ratio: 1, parentBased: true } }, {}, ratio(1)],
    [{ sampler: { ratio: 0, keep: { errors: true } } }, {}, { ...ratio(0), keep: keep({ errors: true }) }],
    [{ sampler: { ratio: 0, keep: { slowerThan: 500 } } }, {}, { ...ratio(0), keep: keep({ slowerThan: 500 }) }],
    [
      { sampler: { ratio: 0, keep: { errors: 'true', slowerThan: '9', partialTraces: 'true' } } },
      {},
      { ...ratio(0), keep: { errors: true, slowerThan: 9, partialTraces: true } },
    ],
    [{ sampler: { ratio: 0, keep: undefined } }, {}, ratio(0)],
  ])('sampler of %j and %j', (options, env, expected) => {
    expect(resolve(options, env as Env).sampler).toEqual(expected);
  });

  it('shrinks the default batch to a small queue', () => {
    expect(resolve({ batch: { maxQueueSize: 100 } }).batch.maxExportBatchSize).toBe(100);
  });

  it('uses objects of the SDK unchanged', () => {
    const exporter = { spans: [], export() {}, shutdown: () => Promise.resolve() };
    const sampler = { shouldSample: () => ({ decision: 2 }), toString: () => 'mine' };
    const propagator = { inject() {}, extract: (context: unknown) => context, fields: () => [] };
    const resolved = resolve({ exporter, sampler, propagators: ['b3', propagator] });
    expect(resolved.exporters).toEqual([{ type: 'custom', exporter }]);
    expect(resolved.sampler).toEqual({ type: 'custom', sampler });
    expect(resolved.propagators[1]).toBe(propagator);
    for (const theirs of [exporter, exporter.spans, sampler, propagator]) expect(Object.isFrozen(theirs)).toBe(false);
  });

  it('returns frozen options', () => {
    const resolved = resolve(
      {
        resource: { zones: ['a'] },
        exporter: ['console', { type: 'otlp', headers: { a: 'b' } }],
        http: { requestHeaders: ['a'] },
      },
      {},
    );
    const parts: unknown[] = [resolved];
    for (const part of parts) {
      if (typeof part !== 'object' || part === null) continue;
      expect(Object.isFrozen(part)).toBe(true);
      parts.push(...Object.values(part));
    }
  });

  it('does not change the options of the application', () => {
    const options = { resource: { zones: ['a'] }, http: { requestHeaders: ['A'] }, propagators: ['b3'] };
    const copy = structuredClone(options);
    resolve(options);
    expect(options).toEqual(copy);
    expect(Object.isFrozen(options.resource.zones)).toBe(false);
  });

  it('names the options of the provider that are given in code', () => {
    const given = { serviceName: 'a', sampler: undefined, http: {}, limits: {}, propagators: 'b3' };
    expect(resolve(given, { OTEL_TRACES_EXPORTER: 'none' }).providerOptionsGiven).toEqual([
      'serviceName',
      'limits',
      'propagators',
    ]);
  });

  it('can disable tracing even if the other options are wrong', () => {
    const wrong = { enabled: false, exporter: 'nowhere', sampler: { ratio: 7 } };
    expect(resolve(wrong)).toMatchObject({ enabled: false, exporters: [] });
    expect(resolve({ exporter: 'nowhere' }, { OTEL_SDK_DISABLED: 'true', OTEL_PROPAGATORS: 'x' }).enabled).toBe(false);
  });

  it.each<[options: unknown, option: string, fix: string]>([
    [undefined, 'options', 'registerAs'],
    [null, 'options', 'Give an object'],
    ['otlp', 'options', 'Give an object'],
    [{ servicename: 'a' }, 'servicename', 'Did you mean "serviceName"?'],
    [{ service: 'a' }, 'service', 'Known here: enabled, serviceName'],
    [{ batch: { maxQueSize: 1 } }, 'batch.maxQueSize', 'Did you mean "maxQueueSize"?'],
    [{ exporter: { type: 'otlp', url: 'x' } }, 'exporter.url', 'Known here: type, protocol, endpoint'],
    [{ exporter: ['console', { type: 'memory', size: 1 }] }, 'exporter[1].size', 'no such option'],
    [{ sampler: { rate: 1 } }, 'sampler.rate', 'Did you mean "ratio"?'],
    [{ http: { ignored: [] } }, 'http.ignored', 'Did you mean "ignore"?'],
    [{ shutdown: { timeOut: 1 } }, 'shutdown.timeOut', 'Did you mean "timeout"?'],
    [{ limits: [] }, 'limits', 'Give an object'],
    [{ enabled: 'yes' }, 'enabled', 'Use true or false.'],
    [{ serviceName: ' ' }, 'serviceName', 'Give a text'],
    [{ serviceVersion: 2 }, 'serviceVersion', 'Give a text'],
    [{ exporter: 'jeager' }, 'exporter', 'Use one of: otlp, jaeger, console, memory, none. Did you mean "jaeger"?'],
    [{ exporter: { type: 'jeager' } }, 'exporter.type', 'Did you mean "jaeger"?'],
    [{ exporter: { endpoint: 'x' } }, 'exporter.type', 'export() and shutdown()'],
    [{ exporter: null }, 'exporter', 'Use one of'],
    [{ exporter: [] }, 'exporter', "use 'none'"],
    [{ exporter: ['none', 'otlp'] }, 'exporter[0]', 'remove it'],
    [{ propagators: 'b4' }, 'propagators', 'Did you mean "b3"?'],
    [{ propagators: ['none', 'b3'] }, 'propagators[0]', 'remove it'],
    [{ propagators: [] }, 'propagators', "use 'none'"],
    [{ propagators: { inject() {} } }, 'propagators', 'inject(), extract() and fields()'],
    [{ sampler: 'traceidratoi' }, 'sampler', 'Did you mean "traceidratio"?'],
    [{ sampler: 0.1 }, 'sampler', 'write { ratio: 0.1 }'],
    [{ sampler: { ratio: undefined } }, 'sampler.ratio', 'configuration'],
    [{ sampler: { ratio: 0, keep: true } }, 'sampler.keep', 'errors, slowerThan'],
    [{ sampler: { ratio: 0, keep: {} } }, 'sampler.keep', 'errors: true, slowerThan'],
    [{ sampler: { ratio: 0, keep: { errors: false } } }, 'sampler.keep', 'errors: true, slowerThan'],
    [{ sampler: { ratio: 0, keep: { errors: 1 } } }, 'sampler.keep.errors', 'true or false'],
    [{ sampler: { ratio: 0, keep: { slowerThen: 500 } } }, 'sampler.keep.slowerThen', 'Did you mean "slowerThan"?'],
    [{ sampler: { ratio: 0, keep: { slowerThan: 0.5 } } }, 'sampler.keep.slowerThan', 'milliseconds'],
    [{ sampler: { ratio: 0, keep: { errors: true } }, tracer: 'sdk' }, 'sampler.keep', 'tracer "builtin"'],
    [{ sampler: { type: 'jaeger_remote', keep: { errors: true } } }, 'sampler.keep', 'no such option'],
    [{ sampler: {} }, 'sampler.ratio', 'configuration'],
    [{ sampler: { ratio: 1.5 } }, 'sampler.ratio', 'from 0 to 1'],
    [{ sampler: { ratio: Number.NaN } }, 'sampler.ratio', 'from 0 to 1'],
    [{ sampler: { ratio: '10%' } }, 'sampler.ratio', 'from 0 to 1'],
    [{ batch: { maxQueueSize: 0 } }, 'batch.maxQueueSize', 'of at least 1'],
    [{ batch: { maxQueueSize: -5 } }, 'batch.maxQueueSize', 'of at least 1'],
    [{ batch: { maxQueueSize: 1.5 } }, 'batch.maxQueueSize', 'whole number'],
    [{ batch: { maxQueueSize: '0x10' } }, 'batch.maxQueueSize', 'whole number'],
    [{ batch: { exportTimeout: 0 } }, 'batch.exportTimeout', 'milliseconds, from 1'],
    [{ shutdown: { timeout: 2 ** 31 } }, 'shutdown.timeout', 'to 2147483647'],
    [{ limits: { attributeValueLength: 0 } }, 'limits.attributeValueLength', 'of at least 1'],
    [{ resource: { team: { name: 'a' } } }, 'resource.team', 'a text, a number'],
    [{ resource: { team: ['a', 1] } }, 'resource.team', 'a list of one of them'],
    [{ resource: [] }, 'resource', 'an object of attributes'],
  ])('%j is refused: %s', (options, option, fix) => {
    const error = errorOf(() => resolveOptions(options as TracingOptions, {}, noPackage));
    expect(error.option).toBe(option);
    expect(error.message).toContain(fix);
    expect(error.message).toContain(`"${option}"`);
  });

  it('does not show the secret of a misspelt key', () => {
    const error = errorOf(() => resolve({ exporter: { type: 'otlp', apiKey: 'hunter2' } }));
    expect(error.message).not.toContain('hunter2');
    expect(error.option).toBe('exporter.apiKey');
  });
});
