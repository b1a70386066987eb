import { AMPERSAND, Delimiters, EQUALS, HASH, SEMICOLON, SLASH } from './delimiters.js';

export interface ParameterRules {
  /** True if the parameter of this name has a value to redact. The name is given as written, so it may be encoded. */
  readonly isSecret: (name: string) => boolean;
  /** True for the path of a URL, where a slash ends a value. */
  readonly inPath: boolean;
}

/**
 * Redacts the values of secret parameters, also in URLs that are values of parameters, at any depth. Everything else stays as
 * it was written. The effort is linear in the length of the text.
 */
export function redactParameters(text: string, rules: ParameterRules): string {
  const delimiters = new Delimiters(text);
  let redacted = '';
  let copied = 0;
  let nameStart = 0;
  while (delimiters.next()) {
    const { code, end, level, start } = delimiters;
    const isName = code === EQUALS && start > nameStart;
    const name = isName ? text.slice(nameStart, start) : '';
    nameStart = end;
    if (!isName || !rules.isSecret(name)) continue;
    redacted += `${text.slice(copied, end)}REDACTED`;
    copied = nameStart = endOfValue(text, end, level, rules.inPath);
    delimiters.moveTo(copied);
  }
  return copied === 0 ? text : redacted + text.slice(copied);
}

/**
 * Returns the index at which a value ends: at the next delimiter of its own URL, or of a URL around it. A delimiter that is
 * encoded more often is a part of the value.
 */
function endOfValue(text: string, from: number, level: number, inPath: boolean): number {
  const delimiters = new Delimiters(text, from);
  let semicolon: number | undefined;
  let semicolonEnd = 0;
  while (delimiters.next()) {
    const { code, end, start } = delimiters;
    const isOwnLevel = delimiters.level <= level;
    // Some servers treat a semicolon as an ampersand, others as a part of the value. It ends the value only if a name and an
    // equals sign follow.
    if (isOwnLevel && code === EQUALS && semicolon !== undefined && start > semicolonEnd) return semicolon;
    semicolon = undefined;
    if (!isOwnLevel) continue;
    if (code === AMPERSAND || code === HASH || (inPath && (code === SLASH || code === SEMICOLON))) return start;
    if (code === SEMICOLON) {
      semicolon = start;
      semicolonEnd = end;
    }
  }
  return text.length;
}
