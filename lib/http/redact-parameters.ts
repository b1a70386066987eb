import { AMPERSAND, Delimiters, EQUALS, HASH, SEMICOLON, SLASH } from './delimiters.js';

export interface ParameterRules {
  /** True for a name, as it is written, whose value is hidden. */
  readonly isSecret: (name: string) => boolean;
  /** True for the path of a URL: a slash ends a value there. */
  readonly inPath: boolean;
}

/**
 * Replaces the values of secret parameters, also in URLs that are themselves values, however deep; everything else stays as
 * it was written. The work is bounded by the length of the text.
 */
export function redactParameters(text: string, rules: ParameterRules): string {
  const delimiters = new Delimiters(text);
  let shown = '';
  let copied = 0;
  let nameStart = 0;
  while (delimiters.next()) {
    const { code, end, level, start } = delimiters;
    const isName = code === EQUALS && start > nameStart;
    const name = isName ? text.slice(nameStart, start) : '';
    nameStart = end;
    if (!isName || !rules.isSecret(name)) continue;
    shown += `${text.slice(copied, end)}REDACTED`;
    copied = nameStart = endOfValue(text, end, level, rules.inPath);
    delimiters.moveTo(copied);
  }
  return copied === 0 ? text : shown + text.slice(copied);
}

/**
 * A value ends at the next parameter of its own URL, or of one around it. It does not end at a delimiter that is encoded more
 * often: this is a part of it.
 */
function endOfValue(text: string, from: number, level: number, inPath: boolean): number {
  const delimiters = new Delimiters(text, from);
  let semicolon: number | undefined;
  let semicolonEnd = 0;
  while (delimiters.next()) {
    const { code, end, start } = delimiters;
    const isOwnLevel = delimiters.level <= level;
    // Some servers take a semicolon for an ampersand, others for a part of the value: it depends on what follows.
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
