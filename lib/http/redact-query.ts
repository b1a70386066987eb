import { cutText } from '../core/cut-text.js';
import { redactParameters } from './redact-parameters.js';
import { redactValues } from './redact-values.js';
import { decisionsForUrl } from './secret-decisions.js';

/** Characters of a path, a query or a URL that are recorded: as many as an attribute has by default. */
export const MAX_URL = 8192;
/** Characters beyond these that are looked at, so that a secret at the end is recognized before it is cut. */
const LOOKAHEAD = 2048;
const REDACTED = 'REDACTED';
/** Behind a secret, what is left of a delimiter, or of a name that lost its equals sign: both read like a part of the secret. */
const CUT_SHORT = /^(?:(?:;|%(?:25)*3B)[^;&#=]*|%(?:25)*[\da-f]?)$/i;

/**
 * The query as it may be seen: the values of secret parameters and what is recognized as a secret by itself are replaced;
 * everything else stays as it was written, up to {@link MAX_URL} characters. Never throws; the work is bounded.
 */
export function redactQuery(query: string, isSecret: (parameter: string) => boolean): string {
  return redact(query, isSecret, false);
}

/** The path as it may be seen: path parameters, `;jsessionid=…`, are treated as those of a query are. */
export function redactPath(path: string, isSecret: (parameter: string) => boolean): string {
  return redact(path, isSecret, true);
}

function redact(text: string, isSecret: (parameter: string) => boolean, inPath: boolean): string {
  const wasCut = text.length > MAX_URL + LOOKAHEAD;
  const seen = wasCut ? text.slice(0, MAX_URL + LOOKAHEAD) : text;
  const shown = redactValues(withoutSecretParameters(seen, isSecret, inPath), wasCut);
  return shown.length <= MAX_URL ? shown : withoutRest(cutText(shown, MAX_URL));
}

function withoutSecretParameters(text: string, isSecret: (parameter: string) => boolean, inPath: boolean): string {
  // Most paths have no parameters.
  if (!text.includes('=') && !text.includes('%')) return text;
  return redactParameters(text, { isSecret: decisionsForUrl(isSecret), inPath });
}

function withoutRest(text: string): string {
  const end = text.lastIndexOf(REDACTED) + REDACTED.length;
  return CUT_SHORT.test(text.slice(end)) ? text.slice(0, end) : text;
}
