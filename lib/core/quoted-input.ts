/** The message of V8's `JSON.parse()` for an unexpected character, which quotes 10 characters on each side, or the whole text. */
const QUOTED_JSON = /Unexpected token '[^]{1,2}', (?:\.\.\.)?"[^]{0,64}"(?:\.\.\.)? is not valid JSON/g;

/** The message of Nest for a request without a route. The first group ends before the query or the path parameters. */
const UNROUTED = /\b(Cannot [A-Z-]{1,32} \/[^\s?;]{0,8192})[?;]\S*/g;

/**
 * Removes from a message what it quotes of a request: the part of a body that `JSON.parse()` could not read, and the query of a URL without
 * a route. The errors of body parsers have such messages, and so have the exceptions that Nest and applications create from them.
 */
export function withoutQuotedInput(message: string): string {
  let shown = message;
  if (shown.includes(' is not valid JSON')) {
    shown = shown.replace(QUOTED_JSON, 'Unexpected token, "REDACTED" is not valid JSON');
  }
  return shown.includes('Cannot ') ? shown.replace(UNROUTED, '$1') : shown;
}
