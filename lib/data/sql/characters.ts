/** The codes of the characters that SQL is read by. */
export const NEW_LINE = 10;
export const CARRIAGE_RETURN = 13;
export const SPACE = 32;
export const EXCLAMATION = 33;
export const DOUBLE_QUOTE = 34;
export const HASH = 35;
export const DOLLAR = 36;
export const AMPERSAND = 38;
export const QUOTE = 39;
export const OPEN = 40;
export const CLOSE = 41;
export const STAR = 42;
export const PLUS = 43;
export const COMMA = 44;
export const MINUS = 45;
export const DOT = 46;
export const SLASH = 47;
export const ZERO = 48;
export const NINE = 57;
export const COLON = 58;
export const SEMICOLON = 59;
export const QUESTION = 63;
export const AT = 64;
export const UPPER_A = 65;
export const UPPER_E = 69;
export const UPPER_M = 77;
export const UPPER_N = 78;
export const UPPER_X = 88;
export const UPPER_Z = 90;
export const OPEN_BRACKET = 91;
export const BACKSLASH = 92;
export const CLOSE_BRACKET = 93;
export const UNDERSCORE = 95;
export const BACKTICK = 96;
export const LOWER_A = 97;
export const LOWER_E = 101;
export const LOWER_X = 120;
export const LOWER_Z = 122;
export const LAST_OF_ASCII = 127;
const FIRST_BEYOND_ASCII = 128;
const WIDE_SPACE = /\s/;

/** The kinds of the characters of ASCII: a table is faster than comparisons, and every character of a statement is looked up. */
const WORD_START = 1;
const DIGIT = 2;
const WORD_SIGN = 4;
const kinds = new Uint8Array(FIRST_BEYOND_ASCII);
kinds.fill(DIGIT, ZERO, NINE + 1);
kinds.fill(WORD_START, UPPER_A, UPPER_Z + 1);
kinds.fill(WORD_START, LOWER_A, LOWER_Z + 1);
kinds[UNDERSCORE] = WORD_START;
kinds[DOLLAR] = WORD_SIGN;

export function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE;
}

export function isWordStart(code: number): boolean {
  return code >= FIRST_BEYOND_ASCII ? !isWideSpace(code) : kinds[code] === WORD_START;
}

/** True for letters, digits, the underscore and the dollar sign. */
export function isWordPart(code: number): boolean {
  return code >= FIRST_BEYOND_ASCII ? !isWideSpace(code) : (kinds[code] ?? 0) > 0;
}

/** True for a space, for a line break and other control characters, and for the spaces beyond ASCII. */
export function isSpace(code: number): boolean {
  return code <= SPACE || (code >= FIRST_BEYOND_ASCII && isWideSpace(code));
}

function isWideSpace(code: number): boolean {
  return code === 0x85 || code === 0xa0 || (code >= 0x1680 && WIDE_SPACE.test(String.fromCharCode(code)));
}

export function isLineBreak(code: number): boolean {
  return code === NEW_LINE || code === CARRIAGE_RETURN;
}

/** Returns the last character before an index that is no space. Empty at the beginning. */
export function characterBefore(sql: string, start: number): string {
  let at = start - 1;
  while (at >= 0 && isSpace(sql.charCodeAt(at))) at--;
  return sql.charAt(at);
}

/** Returns the first character from an index on that is no space. Empty at the end. */
export function characterAfter(sql: string, end: number): string {
  let at = end;
  while (at < sql.length && isSpace(sql.charCodeAt(at))) at++;
  return sql.charAt(at);
}

export function isOneOf(characters: string, character: string): boolean {
  return character !== '' && characters.includes(character);
}
