/** Functions that return the index after a token. It is the length of the text if the token does not end. */
import {
  AT,
  BACKSLASH,
  DOLLAR,
  DOT,
  EXCLAMATION,
  HASH,
  isDigit,
  isLineBreak,
  isSpace,
  isWordPart,
  LAST_OF_ASCII,
  LOWER_E,
  LOWER_X,
  MINUS,
  NEW_LINE,
  PLUS,
  QUOTE,
  SLASH,
  STAR,
  UPPER_E,
  UPPER_M,
  UPPER_X,
  ZERO,
} from './characters.js';

const CLOSING_DELIMITERS: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')', '<': '>' };

/** Returns the end of the word that starts at an index. */
export function endOfWord(sql: string, start: number): number {
  let end = start;
  while (isWordPart(sql.charCodeAt(end))) end++;
  return end;
}

/** Returns the end of a value that is written as a word: such words may have signs that those of a statement have not. */
export function endOfValueWord(sql: string, start: number): number {
  let end = start;
  for (;;) {
    const code = sql.charCodeAt(end);
    if (!isWordPart(code) && code !== HASH && code !== AT) return end;
    end++;
  }
}

export function endOfDigits(sql: string, start: number): number {
  let end = start;
  while (isDigit(sql.charCodeAt(end))) end++;
  return end;
}

/** Returns the end of a number, with every letter that is directly behind it. */
export function endOfNumber(sql: string, start: number): number {
  const second = sql.charCodeAt(start + 1);
  const isHexadecimal = sql.charCodeAt(start) === ZERO && (second === LOWER_X || second === UPPER_X);
  let end = start + 1;
  for (;;) {
    const code = sql.charCodeAt(end);
    const isSign = code === PLUS || code === MINUS;
    const isPart =
      (isWordPart(code) && code !== DOLLAR) || code === DOT || (isSign && !isHexadecimal && isExponent(sql, end));
    // SQL Server continues a number after a backslash and a line break.
    if (isHexadecimal && code === BACKSLASH && isSpace(sql.charCodeAt(end + 1))) end = endOfLineBreak(sql, end + 1);
    else if (isPart) end++;
    else return end;
  }
}

function endOfLineBreak(sql: string, start: number): number {
  return sql.startsWith('\r\n', start) ? start + 2 : start + 1;
}

/** True if the character before a sign is that of an exponent, and a digit follows. */
function isExponent(sql: string, sign: number): boolean {
  const before = sql.charCodeAt(sign - 1);
  return (before === LOWER_E || before === UPPER_E) && isDigit(sql.charCodeAt(sign + 1));
}

/** Returns the end of a quoted string or name, in which a doubled mark is no end. Undefined if it does not end. */
export function endOfQuoted(sql: string, start: number, mark: string, hasEscapes: boolean): number | undefined {
  let from = start + 1;
  for (;;) {
    const end = sql.indexOf(mark, from);
    if (end === -1) return undefined;
    if (hasEscapes && isEscaped(sql, end, start)) from = end + 1;
    else if (sql[end + 1] === mark) from = end + 2;
    else return end + 1;
  }
}

/** True if a mark within a string stands behind an odd number of backslashes, so that it depends on their meaning whether it is escaped. */
export function hasMarkBehindBackslash(sql: string, start: number, end: number, mark: string): boolean {
  for (let at = sql.indexOf(mark, start + 1); at !== -1 && at < end; at = sql.indexOf(mark, at + 1))
    if (isEscaped(sql, at, start)) return true;
  return false;
}

/** True if an odd number of backslashes stands before a character of a string. */
function isEscaped(sql: string, at: number, start: number): boolean {
  let first = at;
  while (first - 1 > start && sql.charCodeAt(first - 1) === BACKSLASH) first--;
  return (at - first) % 2 === 1;
}

/** Returns the end of a string with the prefix E, which PostgreSQL continues after a line break with the same escapes. */
export function endOfEscapeString(sql: string, start: number): number {
  let end = endOfQuoted(sql, start, "'", true);
  for (;;) {
    const next: number | undefined = end === undefined ? undefined : startOfContinuation(sql, end);
    if (next === undefined) return end ?? sql.length;
    end = endOfQuoted(sql, next, "'", true);
  }
}

function startOfContinuation(sql: string, end: number): number | undefined {
  let at = end;
  let hasLineBreak = false;
  for (let code = sql.charCodeAt(at); isSpace(code); code = sql.charCodeAt(++at)) hasLineBreak ||= isLineBreak(code);
  return hasLineBreak && sql.charCodeAt(at) === QUOTE ? at : undefined;
}

/** Returns the end of a string of Oracle with delimiters of its own, such as `q'[ … ]'`. */
export function endOfQuoteOperator(sql: string, quote: number): number {
  const open = sql.charAt(quote + 1);
  const end = sql.indexOf(`${CLOSING_DELIMITERS[open] ?? open}'`, quote + 2);
  return end === -1 ? sql.length : end + 2;
}

/** Returns the end of a string of PostgreSQL between dollar signs. Undefined if none starts at the index. */
export function endOfDollarQuoted(sql: string, start: number): number | undefined {
  let end = start + 1;
  // A tag may have any character beyond ASCII.
  while ((isWordPart(sql.charCodeAt(end)) || sql.charCodeAt(end) > LAST_OF_ASCII) && sql[end] !== '$') end++;
  if (sql[end] !== '$') return undefined;
  const tag = sql.slice(start, end + 1);
  const close = sql.indexOf(tag, end + 1);
  return close === -1 ? sql.length : close + tag.length;
}

/** True if `--` starts a comment at an index. In MySQL, two minus signs without a space behind them are an expression. */
export function startsLineComment(sql: string, start: number, isMysql: boolean): boolean {
  if (!sql.startsWith('--', start)) return false;
  return !isMysql || start + 2 >= sql.length || isSpace(sql.charCodeAt(start + 2));
}

/** @param endsAtReturn true if a carriage return ends the line as well */
export function endOfLine(sql: string, start: number, endsAtReturn: boolean): number {
  let end = start;
  while (end < sql.length && !(endsAtReturn ? isLineBreak(sql.charCodeAt(end)) : sql.charCodeAt(end) === NEW_LINE))
    end++;
  return end;
}

export function endOfComment(sql: string, start: number, canNest: boolean): number {
  let depth = 1;
  let at = start + 2;
  while (depth > 0 && at < sql.length) {
    const code = sql.charCodeAt(at);
    const next = sql.charCodeAt(at + 1);
    if (code === STAR && next === SLASH) {
      depth--;
      at += 2;
    } else if (canNest && code === SLASH && next === STAR) {
      depth++;
      at += 2;
    } else at++;
  }
  return at;
}

/** Returns the index of the statement in a comment that MySQL executes, behind its version. Undefined for other comments. */
export function startOfExecuted(sql: string, start: number): number | undefined {
  const mark = sql.charCodeAt(start) === UPPER_M ? start + 1 : start;
  if (sql.charCodeAt(mark) !== EXCLAMATION) return undefined;
  let at = mark + 1;
  while (isDigit(sql.charCodeAt(at))) at++;
  return at;
}
