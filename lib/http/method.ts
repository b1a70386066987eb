/** The method as `http.request.method` has it: one that is not among the known methods is `_OTHER`. */
export function knownMethod(method: string | undefined, known: ReadonlySet<string>): string {
  return method !== undefined && known.has(method) ? method : '_OTHER';
}

/** `{method} {route}`, else `{method}`; `HTTP` stands for a method that is not known. */
export function httpSpanName(method: string | undefined, known: ReadonlySet<string>, route?: string): string {
  const verb = method !== undefined && known.has(method) ? method : 'HTTP';
  return route === undefined ? verb : `${verb} ${route}`;
}
