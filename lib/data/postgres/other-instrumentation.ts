import { LoadedClassProbe } from '../other-instrumentation.js';

const probe = new LoadedClassProbe(/[\\/]node_modules[\\/]pg[\\/]lib[\\/]client\.js$/, 'query');

/**
 * True if another instrumentation of pg makes the spans, where an outer layer does not know the client. A provider of another SDK does not tell
 * of the spans that this instrumentation starts.
 */
export function isPgTracedElsewhere(): boolean {
  return probe.isWrappedElsewhere();
}
