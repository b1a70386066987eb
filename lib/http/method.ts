/** The methods of RFC 9110 and PATCH; any other is `_OTHER`, so that a caller cannot make up span names. */
const KNOWN_METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH']);

/** The method as `http.request.method` has it. */
export function knownMethod(method: string | undefined): string {
  return method !== undefined && KNOWN_METHODS.has(method) ? method : '_OTHER';
}

/** `{method} {route}`, else `{method}`; `HTTP` stands for a method that is not known. */
export function httpSpanName(method: string | undefined, route?: string): string {
  const known = knownMethod(method);
  const verb = known === '_OTHER' ? 'HTTP' : known;
  return route === undefined ? verb : `${verb} ${route}`;
}
