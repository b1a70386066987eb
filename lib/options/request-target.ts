/**
 * The target of a request as most have it, from its path on: a proxy may be sent a whole URL (`GET http://host/path`).
 * What is neither, `*` say, stays.
 */
export function originForm(target: string): string {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target)?.[0] ?? '';
  return target.slice(origin.length);
}
