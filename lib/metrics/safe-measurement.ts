import { callSafely } from '../core/diagnostics.js';

/**
 * Makes a function that measures safe to call from the application: it reports what its metrics library throws, and
 * never throws itself.
 *
 * @param metric the name of the metric, for the report
 */
export function safeMeasurement<Args extends readonly unknown[]>(
  metric: string,
  measure: (this: void, ...args: Args) => void,
): (...args: Args) => void {
  const what = `The metric ${metric}`;
  return (...args) => {
    callSafely(what, () => measure(...args));
  };
}
