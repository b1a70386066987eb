import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import {
  context as contextApi,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  trace,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { contextManager } from '../../../lib/core/context-manager.js';
import { alwaysOn } from '../../../lib/sampling/standard-samplers.js';
import { FixedResource } from '../../../lib/sdk/fixed-resource.js';
import { createStockProvider } from '../../../lib/sdk/stock/stock-provider.js';
import { Pipeline } from '../../../lib/tracer/pipeline.js';
import { EARLY_LIMITS } from '../../../lib/tracer/span-limits.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { KeptSpans, samplingBy } from '../../support/pipeline.js';

let kept: KeptSpans;
let pipeline: Pipeline;
let library: LibraryTracerProvider;
let stock: TracerProvider;
beforeEach(() => {
  contextApi.setGlobalContextManager(contextManager);
  kept = new KeptSpans();
  pipeline = new Pipeline({
    processors: [kept],
    isObserved: true,
    limits: EARLY_LIMITS,
    resource: new FixedResource({}),
    sampling: samplingBy(alwaysOn),
  });
  library = new LibraryTracerProvider();
  library.use(pipeline, undefined);
  stock = createStockProvider(pipeline);
});
afterEach(() => contextApi.disable());

/** Compares what something returns, or the class of the error that it throws, with both tracer providers. */
function expectSame(run: (provider: TracerProvider) => unknown): unknown {
  const [own, sdk] = [library, stock].map((provider) => {
    try {
      return { returned: run(provider) };
    } catch (error) {
      return { thrown: (error as Error).constructor.name };
    }
  });
  expect(own).toEqual(sdk);
  return own;
}

describe('getTracer()', () => {
  type Arguments = Parameters<TracerProvider['getTracer']>;

  it.each<[what: string, one: unknown[], other: unknown[], same: boolean]>([
    ['the same name', ['a'], ['a'], true],
    ['another name', ['a'], ['b'], false],
    ['the same version', ['a', '1'], ['a', '1'], true],
    ['another version', ['a', '1'], ['a', '2'], false],
    ['the same schema', ['a', '1', { schemaUrl: 's' }], ['a', '1', { schemaUrl: 's' }], true],
    ['another schema', ['a', '1', { schemaUrl: 's' }], ['a', '1', { schemaUrl: 't' }], false],
    ['names that contain separators', ['a@1', ''], ['a', '1:'], false],
    ['no name', [], [undefined], true],
    ['options of null', ['a', undefined, null], ['a'], true],
  ])('returns the same tracer or another one, as the SDK does: %s', (_, one, other, same) => {
    const isSame = (provider: TracerProvider) =>
      provider.getTracer(...(one as Arguments)) === provider.getTracer(...(other as Arguments));
    expect(expectSame(isSame)).toEqual({ returned: same });
  });

  it.each<[what: string, name: unknown, version: unknown, schemaUrl: unknown, scope: object]>([
    ['texts', 'a', '1.0', 'https://s/1', { name: 'a', version: '1.0', schemaUrl: 'https://s/1' }],
    ['nothing', undefined, undefined, undefined, { name: '' }],
    ['numbers', 17, 1, undefined, { name: '17', version: '1' }],
    ['objects', {}, [], {}, { name: '' }],
    ['a symbol', Symbol('name'), Symbol('version'), Symbol('url'), { name: '' }],
    ['a number that no JSON has', 1n, 1n, 1n, { name: '' }],
  ])('gives spans a scope that can be exported: %s', (_, name, version, schemaUrl, scope) => {
    const given = [name, version, { schemaUrl }] as Arguments;
    library
      .getTracer(...given)
      .startSpan('work')
      .end();
    expect(kept.spans[0]!.instrumentationScope).toEqual(scope);
  });

  it('can be called before the application starts', () => {
    const early = new LibraryTracerProvider();
    const proxy = new ProxyTracerProvider();
    const [before, ofProxy] = [early.getTracer('before'), proxy.getTracer('of the proxy')];
    before.startSpan('before the start').end();
    ofProxy.startSpan('before the registration').end();
    proxy.setDelegate(early);
    early.startBuffering();
    for (const tracer of [before, ofProxy]) tracer.startSpan('early').end();
    early.use(pipeline, undefined);
    for (const tracer of [before, ofProxy]) tracer.startActiveSpan('late', (span) => span.end());
    expect(kept.spans.map((span) => [span.instrumentationScope.name, span.name])).toEqual([
      ['before', 'early'],
      ['of the proxy', 'early'],
      ['before', 'late'],
      ['of the proxy', 'late'],
    ]);
  });

  it('returns tracers that pass spans on to another provider, and back', () => {
    const tracer = library.getTracer('a', '1', { schemaUrl: 's' });
    library.use(pipeline, stock);
    tracer.startSpan('of the SDK').end();
    library.use(pipeline, undefined);
    tracer.startSpan('of the library').end();
    expect(kept.spans.map(({ name }) => name)).toEqual(['of the SDK', 'of the library']);
    expect(kept.spans[0]!.instrumentationScope).toEqual(kept.spans[1]!.instrumentationScope);
  });
});

describe('startActiveSpan()', () => {
  type AnyStart = (...args: unknown[]) => unknown;
  const start = (provider: TracerProvider, ...args: unknown[]) => {
    const tracer = provider.getTracer('test');
    return (tracer.startActiveSpan as AnyStart).apply(tracer, args);
  };
  const remote = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    traceFlags: 1,
  });
  const traceIdIn = () => trace.getActiveSpan()?.spanContext().traceId === 'a'.repeat(32);

  it.each<[what: string, args: unknown[], outcome: object]>([
    ['only a name', ['work'], { returned: undefined }],
    ['no arguments', [], { returned: undefined }],
    ['a function', ['work', traceIdIn], { returned: false }],
    ['options and a function', ['work', { attributes: {} }, traceIdIn], { returned: false }],
    ['options, a context and a function', ['work', {}, remote, traceIdIn], { returned: true }],
    ['no options, a context and a function', ['work', undefined, remote, traceIdIn], { returned: true }],
    ['options, no context and a function', ['work', {}, undefined, traceIdIn], { returned: false }],
    ['a context of null', ['work', {}, null, traceIdIn], { returned: false }],
    ['more arguments', ['work', {}, remote, traceIdIn, 'more'], { returned: true }],
    ['the number of arguments of the function', ['work', (...args: unknown[]) => args.length], { returned: 1 }],
    ['no function', ['work', {}], { thrown: 'TypeError' }],
    ['no function, but a context', ['work', {}, remote, undefined], { thrown: 'TypeError' }],
    [
      'a function that throws',
      [
        'work',
        () => {
          throw new RangeError('mine');
        },
      ],
      { thrown: 'RangeError' },
    ],
  ])('takes the same arguments as that of the SDK: %s', (_, args, outcome) => {
    expect(expectSame((provider) => start(provider, ...args))).toEqual(outcome);
  });

  it('returns the promise of the function itself', async () => {
    const promise = Promise.resolve(1);
    expect(library.getTracer('test').startActiveSpan('work', () => promise)).toBe(promise);
    await expect(promise).resolves.toBe(1);
  });

  it('can be called without its tracer being bound by the API', () => {
    const proxy = new ProxyTracerProvider();
    proxy.setDelegate(library);
    const tracer: Tracer = proxy.getTracer('test');
    expect(tracer.startActiveSpan('work', {}, remote, traceIdIn)).toBe(true);
  });
});
