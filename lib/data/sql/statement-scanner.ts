import {
  AMPERSAND,
  BACKSLASH,
  BACKTICK,
  CLOSE,
  COLON,
  COMMA,
  DOLLAR,
  DOT,
  DOUBLE_QUOTE,
  HASH,
  isDigit,
  isSpace,
  isWordStart,
  MINUS,
  OPEN,
  OPEN_BRACKET,
  PLUS,
  QUESTION,
  QUOTE,
  SEMICOLON,
  SLASH,
  SPACE,
  STAR,
  UPPER_N,
} from './characters.js';
import type { SqlDialect } from './dialect.js';
import { DoubtfulStrings } from './doubtful-strings.js';
import type { StatementReading } from './scanned-statement.js';
import { SummaryBuilder, type Token } from './summary.js';
import {
  endOfComment,
  endOfDigits,
  endOfDollarQuoted,
  endOfEscapeString,
  endOfLine,
  endOfNumber,
  endOfQuoted,
  endOfQuoteOperator,
  endOfValueWord,
  endOfWord,
  startOfExecuted,
  startsLineComment,
} from './token-ends.js';
import { ValueWords } from './value-words.js';

/** The text that stands for a literal, by the semantic conventions. */
const LITERAL = '?';

/** The prefixes that belong to a string. */
const STRING_PREFIX = /^(?:e|n|b|x|q|nq)$/i;

/** Replaces the literals of a statement and summarizes it, in a single pass over its characters. */
export class StatementScanner {
  #at = 0;
  /** The sanitized text of everything before `#copied`. */
  #out = '';
  #copied = 0;
  /** True if the last thing before `#copied` was a comment. */
  #isCommentBefore = false;
  #executedComments = 0;
  #word = '';
  #wordBefore = '';
  /** The length of the sanitized text at the parenthesis of an IN list, while the list has only literals. */
  #listStart: number | undefined;
  #isComplete = true;
  #hasStrayBackslash = false;
  readonly #literals: number[] = [];
  readonly #summary = new SummaryBuilder();
  readonly #values: ValueWords;
  readonly #doubtful: DoubtfulStrings | undefined;

  constructor(
    private readonly sql: string,
    private readonly dialect: SqlDialect,
  ) {
    this.#values = new ValueWords(sql, dialect);
    this.#doubtful = dialect.otherBackslashes && new DoubtfulStrings(sql);
  }

  scan(): StatementReading {
    const { sql } = this;
    while (this.#at < sql.length) {
      const code = sql.charCodeAt(this.#at);
      if (isSpace(code)) this.#at++;
      else if (isWordStart(code)) this.#scanWord();
      else if (isDigit(code)) this.#replaceLiteral(this.#at, endOfNumber(sql, this.#at));
      else this.#scanSymbol(code, sql.charCodeAt(this.#at + 1));
    }
    const text = this.#copied === 0 ? sql : this.#out + sql.slice(this.#copied);
    return {
      text: text.trim(),
      summary: this.#summary.finish(),
      literals: this.#literals,
      isComplete: this.#isComplete,
      hasStrayBackslash: this.#hasStrayBackslash,
      doubtfulAt: this.#doubtful?.first,
    };
  }

  #scanSymbol(code: number, next: number): void {
    const { dialect } = this;
    switch (code) {
      case QUOTE:
        return this.#replaceString(this.#at, this.#at, dialect.hasBackslashEscapes);
      case DOUBLE_QUOTE:
        if (dialect.doubleQuotes !== 'string') return this.#scanQuotedName('"');
        return this.#replaceString(this.#at, this.#at, dialect.hasBackslashEscapes);
      case BACKTICK:
        return dialect.hasBackticks ? this.#scanQuotedName('`') : this.#skip(1);
      case OPEN_BRACKET:
        return dialect.hasBrackets ? this.#scanQuotedName(']') : this.#skip(1);
      case DOLLAR:
        return this.#scanDollar(next);
      case MINUS:
        if (!startsLineComment(this.sql, this.#at, dialect.hasMysqlComments)) return this.#skipInList(1);
        return this.#remove(endOfLine(this.sql, this.#at, dialect.endsCommentsAtReturn));
      case HASH:
        if (!dialect.hasMysqlComments) return this.#skip(1);
        return this.#remove(endOfLine(this.sql, this.#at, dialect.endsCommentsAtReturn));
      case SLASH:
        return next === STAR ? this.#removeComment() : this.#skip(1);
      case STAR:
        if (next !== SLASH || this.#executedComments === 0) return this.#skip(1);
        this.#executedComments--;
        return this.#remove(this.#at + 2);
      case DOT:
        if (!isDigit(next)) return this.#skip(1, 'dot');
        return this.#replaceLiteral(this.#at, endOfNumber(this.sql, this.#at));
      case OPEN:
        return this.#openParenthesis();
      case CLOSE:
        return this.#closeParenthesis();
      case COMMA:
        return this.#skipInList(1, 'comma');
      case PLUS:
        return this.#skipInList(1);
      case QUESTION:
        // SQLite allows a number behind it.
        return this.#skipInList(endOfWord(this.sql, this.#at + 1) - this.#at);
      case SEMICOLON:
        return this.#endStatement();
      case BACKSLASH:
        // In MySQL, `\N` is NULL.
        this.#hasStrayBackslash ||= next !== UPPER_N;
        return this.#skip(1);
      default:
        return this.#scanPrefix(code, next);
    }
  }

  /** Skips characters that are kept, and that end a list of literals. */
  #skip(length: number, token: Token = 'other'): void {
    this.#listStart = undefined;
    this.#skipInList(length, token);
  }

  /** Skips characters that are kept, and that may stand in a list of literals. */
  #skipInList(length: number, token: Token = 'other'): void {
    this.#at += length;
    this.#word = '';
    this.#summary.add(token);
  }

  /** Skips the name of a parameter or of a variable, such as `:id` or `@@version`; the colons of a cast; or another symbol. */
  #scanPrefix(code: number, next: number): void {
    if (code === COLON && next === COLON) this.#skip(2);
    else if (!this.dialect.parameterPrefixes.includes(String.fromCharCode(code))) this.#skip(1);
    else {
      let end = this.#at + 1;
      while (this.sql.charCodeAt(end) === code) end++;
      this.#skip(endOfWord(this.sql, end) - this.#at);
    }
  }

  #scanDollar(next: number): void {
    const { dialect, sql } = this;
    const canBeParameter = dialect.hasDollarQuotes ? isDigit(next) : dialect.parameterPrefixes.includes('$');
    const quotedEnd = dialect.hasDollarQuotes && !isDigit(next) ? endOfDollarQuoted(sql, this.#at) : undefined;
    const endOfName = dialect.hasDollarQuotes ? endOfDigits : endOfWord;
    if (quotedEnd !== undefined) this.#replaceLiteral(this.#at, quotedEnd);
    else this.#skip(canBeParameter ? endOfName(sql, this.#at + 1) - this.#at : 1);
  }

  #scanWord(): void {
    const { sql } = this;
    const start = this.#at;
    const end = endOfWord(sql, start);
    const word = sql.slice(start, end);
    const next = sql.charCodeAt(end);
    if (next === QUOTE && STRING_PREFIX.test(word)) {
      this.#replacePrefixedString(start, end, word.toLowerCase());
    } else if (next === AMPERSAND && sql.charCodeAt(end + 1) === QUOTE && /^u$/i.test(word)) {
      this.#replaceString(start, end + 1, false);
    } else if (this.#values.isWord(start, end, word, this.#word, this.#wordBefore)) {
      this.#replaceLiteral(start, endOfValueWord(sql, end));
    } else {
      this.#at = end;
      this.#listStart = undefined;
      this.#wordBefore = this.#word;
      this.#word = word;
      this.#summary.add('word', word);
    }
  }

  /** Ends a statement. The data of a COPY may follow it. */
  #endStatement(): void {
    const hasData = this.#values.endStatement();
    this.#skip(1, 'semicolon');
    if (hasData && this.sql.slice(this.#at).trim() !== '') this.#replaceLiteral(this.#at, this.sql.length);
  }

  #replacePrefixedString(start: number, quote: number, prefix: string): void {
    const { dialect, sql } = this;
    if (prefix.endsWith('q') && dialect.hasQuoteOperator) this.#replaceLiteral(start, endOfQuoteOperator(sql, quote));
    else if (prefix === 'e' && dialect.hasEscapeStrings) this.#replaceLiteral(start, endOfEscapeString(sql, quote));
    else this.#replaceString(start, quote, dialect.hasBackslashEscapes);
  }

  /** @param start the index of the prefix of the string, or of its quote */
  #replaceString(start: number, quote: number, hasEscapes: boolean): void {
    const { sql } = this;
    const mark = sql.charAt(quote);
    const end = endOfQuoted(sql, quote, mark, hasEscapes);
    this.#isComplete &&= end !== undefined;
    this.#doubtful?.add(quote, end ?? sql.length, mark);
    this.#replaceLiteral(start, end ?? sql.length);
  }

  #replaceLiteral(start: number, end: number): void {
    this.#literals.push(start, end);
    this.#out += this.sql.slice(this.#copied, start) + LITERAL;
    this.#isCommentBefore = false;
    this.#copied = end;
    this.#at = end;
    this.#word = '';
    this.#summary.add('other');
  }

  #scanQuotedName(mark: string): void {
    const { sql } = this;
    const start = this.#at;
    const end = endOfQuoted(sql, start, mark, false);
    if (end === undefined) {
      // Without its end it may be anything.
      this.#isComplete = false;
      return this.#replaceLiteral(start, sql.length);
    }
    if (this.#values.isQuoted(start, end, mark, this.#word, this.#wordBefore)) return this.#replaceLiteral(start, end);
    this.#at = end;
    this.#listStart = undefined;
    this.#word = '';
    this.#summary.add('name', sql.slice(start, end));
  }

  #openParenthesis(): void {
    const isList = this.#word.length === 2 && this.#word.toUpperCase() === 'IN';
    this.#values.openParenthesis(this.#at, this.#word);
    this.#skip(1, 'open');
    if (isList) this.#listStart = this.#out.length + this.#at - this.#copied;
  }

  /** Folds a list of literals to a single one, so that lists of any length have the same text. */
  #closeParenthesis(): void {
    const start = this.#listStart;
    if (start !== undefined) {
      const out = this.#out + this.sql.slice(this.#copied, this.#at);
      if (out.length > start) {
        this.#out = out.slice(0, start) + LITERAL;
        this.#isCommentBefore = false;
        this.#copied = this.#at;
      }
    }
    this.#values.closeParenthesis();
    this.#skip(1, 'close');
  }

  #removeComment(): void {
    const { dialect, sql } = this;
    const executed = dialect.hasMysqlComments ? startOfExecuted(sql, this.#at + 2) : undefined;
    if (executed !== undefined) this.#executedComments++;
    this.#remove(executed ?? endOfComment(sql, this.#at, dialect.nestsComments));
  }

  /** Removes a comment up to `end`. A space replaces it, unless there is one. */
  #remove(end: number): void {
    const { sql } = this;
    const kept = sql.slice(this.#copied, this.#at);
    const endsInSpace =
      kept === '' ? this.#out === '' || this.#isCommentBefore : isSpace(kept.charCodeAt(kept.length - 1));
    this.#out += endsInSpace ? kept : `${kept} `;
    this.#isCommentBefore = true;
    let next = end;
    while (sql.charCodeAt(next) === SPACE) next++;
    this.#copied = next;
    this.#at = next;
  }
}
