import { cutText } from '../core/cut-text.js';
import { redactParameters } from './redact-parameters.js';
import { redactValues } from './redact-values.js';
import { decisionsForUrl } from './secret-decisions.js';

/** The greatest length of a recorded path, query or URL. It equals the default limit for attributes. */
export const MAX_URL = 8192;
/** The number of further characters that are read, so that a secret at the end is recognized before it is cut. */
const LOOKAHEAD = 2048;
const REDACTED = 'REDACTED';
/**
 * A cut delimiter, or a name whose equals sign was cut off, directly after a redacted value. Both look like a part of that
 * value.
 */
const CUT_PARAMETER = /^(?:(?:;|%(?:25)*3B)[^;&#=]*|%(?:25)*[\da-f]?)$/i;

/**
 * Redacts the secrets of a query: the values of secret parameters, and values that are recognized as secrets by themselves.
 * Everything else stays as it was written, up to {@link MAX_URL} characters. Never throws, and the effort is bounded.
 */
export function redactQuery(query: string, isSecret: (parameter: string) => boolean): string {
  return redact(query, isSecret, false);
}

/** Redacts the secrets of a path. Path parameters, such as `;jsessionid=…`, are treated like those of a query. */
export function redactPath(path: string, isSecret: (parameter: string) => boolean): string {
  return redact(path, isSecret, true);
}

function redact(text: string, isSecret: (parameter: string) => boolean, inPath: boolean): string {
  const wasCut = text.length > MAX_URL + LOOKAHEAD;
  const readPart = wasCut ? text.slice(0, MAX_URL + LOOKAHEAD) : text;
  const redacted = redactValues(withoutSecretParameters(readPart, isSecret, inPath), wasCut);
  return redacted.length <= MAX_URL ? redacted : withoutCutParameter(cutText(redacted, MAX_URL));
}

function withoutSecretParameters(text: string, isSecret: (parameter: string) => boolean, inPath: boolean): string {
  // Most paths have no parameters.
  if (!text.includes('=') && !text.includes('%')) return text;
  return redactParameters(text, { isSecret: decisionsForUrl(isSecret), inPath });
}

/** Removes a parameter that was cut, if it follows a redacted value. */
function withoutCutParameter(text: string): string {
  const end = text.lastIndexOf(REDACTED) + REDACTED.length;
  return CUT_PARAMETER.test(text.slice(end)) ? text.slice(0, end) : text;
}
