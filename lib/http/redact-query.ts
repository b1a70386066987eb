/** The query with the values of secret parameters replaced; everything else stays as it was written. */
export function redactQuery(query: string, isSecret: (parameter: string) => boolean): string {
  return query
    .split('&')
    .map((pair) => {
      const mark = pair.indexOf('=');
      return mark !== -1 && isSecret(decoded(pair.slice(0, mark))) ? `${pair.slice(0, mark)}=REDACTED` : pair;
    })
    .join('&');
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name;
  }
}
