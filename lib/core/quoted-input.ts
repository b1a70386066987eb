/** What `JSON.parse()` of V8 says of an unexpected character: it quotes 10 characters on each side, or the whole text. */
const QUOTED_JSON = /Unexpected token '[^]{1,2}', (?:\.\.\.)?"[^]{0,64}"(?:\.\.\.)? is not valid JSON/g;

/** Nest's answer to a request that no route is for, up to the query or the path parameters. */
const UNROUTED = /\b(Cannot [A-Z-]{1,32} \/[^\s?;]{0,8192})[?;]\S*/g;

/**
 * A message without what it quotes of a request: the piece of a body that `JSON.parse()` could not read, and the query of a
 * URL that has no route. Body parsers, and the exceptions that Nest and applications make of their errors, carry these on.
 */
export function withoutQuotedInput(message: string): string {
  let shown = message;
  if (shown.includes(' is not valid JSON')) {
    shown = shown.replace(QUOTED_JSON, 'Unexpected token, "REDACTED" is not valid JSON');
  }
  return shown.includes('Cannot ') ? shown.replace(UNROUTED, '$1') : shown;
}
