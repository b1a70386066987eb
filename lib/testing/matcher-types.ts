import type { ExpectedTrace } from './expected-trace.js';
import type { TreeOptions } from './trace-text.js';

/** The matchers as methods of what `expect()` returns. */
export interface TracingMatchers<R> {
  /**
   * Passes if one of the recorded traces is as expected.
   *
   * @param expected the tree as text, as `trees()` of the recorder returns it and indented at will, or the expected properties of its spans
   * @param options the attributes that the text shows
   */
  toHaveTrace(expected: ExpectedTrace, options?: TreeOptions): R;

  /** Passes if all recorded spans have ended. */
  toHaveNoOpenSpans(): R;
}

declare global {
  /** The types of Jest, and of Vitest, which looks for matchers here as well. */
  namespace jest {
    interface Matchers<R, T = {}> extends TracingMatchers<R> {}
  }
}

/** The types of `@jest/globals`. */
declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends TracingMatchers<R> {}
}
