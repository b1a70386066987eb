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
export const UPPER_A = 65;
export const UPPER_E = 69;
export const UPPER_M = 77;
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
const FIRST_BEYOND_ASCII = 128;

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
  return code >= FIRST_BEYOND_ASCII || kinds[code] === WORD_START;
}

/** True for letters, digits, the underscore and the dollar sign. */
export function isWordPart(code: number): boolean {
  return code >= FIRST_BEYOND_ASCII || (kinds[code] ?? 0) > 0;
}

export function isSpace(code: number): boolean {
  return code <= SPACE;
}

export function isLineBreak(code: number): boolean {
  return code === NEW_LINE || code === CARRIAGE_RETURN;
}
