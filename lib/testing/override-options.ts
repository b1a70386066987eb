import type { OutgoingRequest } from '../options/http-client.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import type { TracingOptions } from '../tracing.options.js';
import type { OptionsOverride } from '../tracing.override.js';
import { recordingProcessor, startRecording } from './recording-processor.js';
import { isRequestOfTest } from './test-requests.js';
import type { RecorderParts } from './trace-recorder.js';

/** The override of an application that is not traced in a test. */
export const disableTracing: OptionsOverride = () => undefined;

/** Returns the override of an application whose spans are recorded. What is traced stays as the application has configured it. */
export function recordTo({ ids, options, store, time }: RecorderParts): OptionsOverride {
  const isFixed = ids !== undefined || time !== undefined;
  return (given, resolve) => {
    const resolved = resolve(recordingOptions(given, options.sampler, isFixed));
    startRecording(store);
    return Object.freeze({
      ...resolved,
      httpClient: resolved.httpClient && leaveOutTest(resolved.httpClient),
      logs: resolved.logs && exportNone(resolved.logs),
      fixedValues: isFixed ? { nextWord: ids?.nextWord, time } : undefined,
    });
  };
}

function recordingOptions(
  given: Partial<TracingOptions>,
  sampler: TracingOptions['sampler'] = 'always_on',
  isFixed: boolean,
): TracingOptions {
  const { shutdown, spanProcessors = [], tracer } = given;
  return {
    ...given,
    enabled: true,
    exporter: 'none',
    sampler,
    // Only the tracer of the library has ids and times that can be fixed.
    tracer: isFixed ? 'builtin' : tracer,
    // A value that is no list is refused when it is resolved.
    spanProcessors: Array.isArray(spanProcessors) ? [...spanProcessors, recordingProcessor] : spanProcessors,
    // A listener for the end of the process would stay after the test.
    shutdown: { ...shutdown, onProcessExit: false },
  };
}

/** Exports no log records: exceptions are recorded as events of spans then. */
function exportNone(logs: NonNullable<ResolvedOptions['logs']>): ResolvedOptions['logs'] {
  return Object.freeze({ ...logs, export: undefined, exceptions: 'events' });
}

/** Leaves the requests out that the test itself sends: they would be the root of each trace. */
function leaveOutTest(client: NonNullable<ResolvedOptions['httpClient']>): ResolvedOptions['httpClient'] {
  const { ignore } = client;
  return Object.freeze({
    ...client,
    ignore: (request: OutgoingRequest) => isRequestOfTest(request) || (ignore?.(request) ?? false),
  });
}
