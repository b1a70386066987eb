import { TracingConfigurationError } from '../tracing.errors.js';
import { parseEach } from './lenient.js';
import { entriesOf, variable, type Setting } from './setting.js';

/** The methods that the semantic conventions call known by default: those of RFC 9110, PATCH (RFC 5789) and QUERY. */
export const DEFAULT_KNOWN_METHODS: ReadonlySet<string> = Object.freeze(
  new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']),
);

/** A token, as RFC 9110 calls it. */
const METHOD = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;

/**
 * Resolves which HTTP methods spans and metrics name. Any other is `_OTHER`, so that a caller cannot invent names.
 *
 * The variable replaces the default list, and methods are compared with case, both as the semantic conventions require.
 */
export function resolveKnownMethods(env: NodeJS.ProcessEnv): ReadonlySet<string> {
  const listed = variable(env, 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS');
  const methods = listed ? parseEach(method, entriesOf(listed)) : [];
  return methods.length > 0 ? Object.freeze(new Set(methods)) : DEFAULT_KNOWN_METHODS;
}

function method({ name, value }: Setting): string {
  if (typeof value === 'string' && METHOD.test(value)) return value;
  throw new TracingConfigurationError(name, value, 'Name methods of HTTP with commas between them, such as GET,POST.');
}
