/** The value of `http.request.method`: the method if it is known, or else `_OTHER`. */
export function knownMethod(method: string | undefined, known: ReadonlySet<string>): string {
  return method !== undefined && known.has(method) ? method : '_OTHER';
}

/** The name of a span: `{method} {route}`, or `{method}` without a route. `HTTP` replaces a method that is not known. */
export function httpSpanName(method: string | undefined, known: ReadonlySet<string>, route?: string): string {
  const verb = method !== undefined && known.has(method) ? method : 'HTTP';
  return route === undefined ? verb : `${verb} ${route}`;
}
