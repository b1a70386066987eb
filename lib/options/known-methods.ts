import { TracingConfigurationError } from '../tracing.errors.js';
import { parseEach } from './lenient.js';
import { readVariable, splitEntries, type Setting } from './setting.js';

/** The known methods by default, as in the semantic conventions: those of RFC 9110, PATCH (RFC 5789) and QUERY. */
export const DEFAULT_KNOWN_METHODS: ReadonlySet<string> = Object.freeze(
  new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']),
);

/** A token (RFC 9110, section 5.6.2). */
const METHOD = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;

/**
 * Resolves the HTTP methods that may stand in span names and metrics. Any other method is `_OTHER`, because a caller can send any
 * word as a method, and each would be a new span name and a new series.
 *
 * The variable replaces the default list, and case counts, both as the semantic conventions require.
 */
export function resolveKnownMethods(env: NodeJS.ProcessEnv): ReadonlySet<string> {
  const list = readVariable(env, 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS');
  const methods = list ? parseEach(parseMethod, splitEntries(list)) : [];
  return methods.length > 0 ? Object.freeze(new Set(methods)) : DEFAULT_KNOWN_METHODS;
}

function parseMethod({ name, value }: Setting): string {
  if (typeof value === 'string' && METHOD.test(value)) return value;
  throw new TracingConfigurationError(name, value, 'Name methods of HTTP with commas between them, such as GET,POST.');
}
