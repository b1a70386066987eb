/**
 * Returns the request target in origin-form (RFC 9112, section 3.2.1): from the path on. A request to a proxy may contain the whole
 * URL, as in `GET http://host/path`. A target in neither form, such as `*`, is returned unchanged.
 */
export function originForm(target: string): string {
  const origin = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i.exec(target)?.[0] ?? '';
  return target.slice(origin.length);
}
