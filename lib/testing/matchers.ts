import {
  compareTrace,
  describeExpected,
  isEqual,
  similarity,
  type Comparison,
  type ExpectedTrace,
} from './expected-trace.js';
import { describeTraces, partsOf, type RecorderParts } from './trace-recorder.js';
import { renderTrace, type TreeOptions } from './trace-text.js';

/** The part of the context of a matcher that is used here, as Jest and Vitest have it. */
export interface MatcherContext {
  readonly utils: {
    diff(expected: unknown, received: unknown, options?: object): string | null | undefined;
  };
}

/** The result of a matcher, as Jest and Vitest expect it. */
export interface MatcherResult {
  readonly pass: boolean;
  message(): string;
}

/**
 * The matchers, for `expect.extend(tracingMatchers)` of Jest and of Vitest.
 *
 * They compare what is recorded now: await `recorder.settled()` before.
 */
export const tracingMatchers = {
  /** Passes if one of the recorded traces is as expected. */
  toHaveTrace(
    this: MatcherContext,
    received: unknown,
    expected: ExpectedTrace,
    options: TreeOptions = {},
  ): MatcherResult {
    const { store, traces } = checkRecorder(received, 'toHaveTrace');
    const comparisons = traces().map((trace) => compareTrace(trace, expected, options));
    const pass = comparisons.some(isEqual);
    const open = store.open.map(({ name }) => name);
    const message = pass
      ? () => `There is a trace that is not expected:\n\n${describeExpected(expected).join('\n')}\n`
      : () => [describeMismatch(comparisons, expected, this.utils), hintAtOpen(open)].filter(Boolean).join('\n\n');
    return { pass, message };
  },

  /** Passes if all recorded spans have ended. */
  toHaveNoOpenSpans(this: MatcherContext, received: unknown): MatcherResult {
    const { store, traces } = checkRecorder(received, 'toHaveNoOpenSpans');
    const pass = store.open.length === 0;
    const open = new Set(store.open.map(({ traceId }) => traceId));
    const trees = traces().flatMap((trace) => (open.has(trace.traceId) ? renderTrace(trace) : []));
    const message = pass
      ? () => 'All spans have ended, or none has started.'
      : () => `Spans marked with … have not ended:\n\n${trees.join('\n\n')}\n`;
    return { pass, message };
  },
};

function checkRecorder(received: unknown, matcher: string): RecorderParts {
  const parts = partsOf(received);
  if (!parts) throw new TypeError(`${matcher}() needs a TraceRecorder: expect(app.get(TraceRecorder)).${matcher}(…)`);
  return parts;
}

function describeMismatch(
  comparisons: readonly Comparison[],
  expected: ExpectedTrace,
  utils: MatcherContext['utils'],
): string {
  const [closest] = comparisons.toSorted((a, b) => similarity(b) - similarity(a));
  if (!closest) return `${describeTraces([])}\nExpected was:\n\n${describeExpected(expected).join('\n')}`;
  const others = comparisons.length > 1 ? ` This is the closest of ${comparisons.length}:` : '';
  const difference = utils.diff(closest.expected.join('\n'), closest.actual.join('\n')) ?? '';
  return `The recorded trace differs from the expected one.${others}\n\n${difference}`;
}

function hintAtOpen(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return `Spans that have not ended: ${names.join(', ')}. Await settled() of the recorder before you compare.`;
}
