import { commaList } from './parse.js';
import { variable } from './setting.js';

/** The methods that the semantic conventions call known by default: those of RFC 9110, PATCH (RFC 5789) and QUERY. */
export const DEFAULT_KNOWN_METHODS: ReadonlySet<string> = Object.freeze(
  new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY']),
);

/**
 * Resolves which HTTP methods spans and metrics name. Any other is `_OTHER`, so that a caller cannot invent names.
 *
 * The variable replaces the default list, and methods are compared with case, both as the semantic conventions require.
 */
export function resolveKnownMethods(env: NodeJS.ProcessEnv): ReadonlySet<string> {
  const listed = variable(env, 'OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS');
  const methods = listed ? commaList(listed) : [];
  return methods.length > 0 ? Object.freeze(new Set(methods)) : DEFAULT_KNOWN_METHODS;
}
