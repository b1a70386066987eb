import { describe, expect, it, jest } from '@jest/globals';
import type { ReadableSpan, SpanExporter, SpanProcessor } from '../../../lib/options/sdk-types.js';
import { resolveOptions } from '../../../lib/options/resolve-options.js';
import { startPipeline, useForeignProvider } from '../../../lib/sdk/provider.js';
import { LibraryTracerProvider } from '../../../lib/tracer/tracer-provider.js';
import { deferred } from '../../support/deferred.js';
import { recordWarnings } from '../../support/recorded-warnings.js';

recordWarnings();

const failures: [string, () => Promise<void>][] = [
  ['rejects', () => Promise.reject(new Error('no way'))],
  [
    'throws',
    () => {
      throw new Error('no way');
    },
  ],
];

/** A pipeline with a span processor that fails, and an exporter that answers when it is told to. */
function startWith(fail: () => Promise<void>) {
  const called = deferred<readonly ReadableSpan[]>();
  const answer = deferred();
  const exporter: SpanExporter = {
    async export(spans, done) {
      called.resolve(spans);
      await answer.promise;
      done({ code: 0 });
    },
    shutdown: () => Promise.resolve(),
  };
  const failing: SpanProcessor = { onStart() {}, onEnd() {}, forceFlush: fail, shutdown: fail };
  const handle = startPipeline(resolveOptions({ serviceName: 'orders', exporter, spanProcessors: [failing] }, {}));
  const provider = new LibraryTracerProvider();
  provider.use(handle.pipeline!, undefined);
  provider.getTracer('test').startSpan('last').end();
  return { handle, called: called.promise, answer: answer.resolve };
}

describe.each(['forceFlush', 'flushBeforeExit', 'shutdown'] as const)('%s()', (method) => {
  it.each(failures)('waits for the exporters although a span processor %s', async (_name, fail) => {
    const { answer, called, handle } = startWith(fail);
    let isDone = false;
    const finish = () => void (isDone = true);
    const finished = handle[method]().then(finish, finish);
    expect((await called).map(({ name }) => name)).toEqual(['last']);
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(isDone).toBe(false);
    answer();
    await finished;
    expect(handle.exportStatistics()).toMatchObject([{ exported: 1, queued: 0 }]);
    await handle.shutdown();
  });
});

it.each(failures)('logs are shut down although the flush of another provider %s', async (_name, fail) => {
  const options = resolveOptions({ serviceName: 'orders', exporter: 'none', logs: { export: true } }, {});
  const handle = useForeignProvider({ getTracer: () => ({}), forceFlush: fail } as never, options);
  const shutdown = jest.spyOn(handle.logs!, 'shutdown');
  await expect(handle.shutdown()).rejects.toThrow('no way');
  expect(shutdown).toHaveBeenCalledTimes(1);
});
