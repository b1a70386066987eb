import { isSpace } from './characters.js';
import type { SqlDialect } from './dialect.js';

/** The words that are literals themselves. */
const LITERAL_WORDS = new Set(['true', 'false', 'TRUE', 'FALSE', 'True', 'False']);

/** The kinds of statements in which words may be values. */
type StatementKind = 'assignment' | 'call' | 'copy' | 'other';

const KINDS = new Map<string, StatementKind>([
  ['SET', 'assignment'],
  ['PRAGMA', 'assignment'],
  ['COPY', 'copy'],
]);

const CALLS = new Set(['EXEC', 'EXECUTE']);

/** The words in a call that are no arguments, and those with which another statement begins. */
const NO_ARGUMENTS = new Set(
  `OUTPUT OUT NULL DEFAULT WITH RECOMPILE AS AT GO SELECT INSERT UPDATE DELETE MERGE DECLARE SET IF ELSE BEGIN END WHILE RETURN PRINT EXEC
  EXECUTE`.split(/\s+/),
);

/** The words before a value. A text in double quotes behind them is a string. */
const BEFORE_VALUE = new Set(['LIKE', 'GLOB', 'MATCH', 'REGEXP', 'KEY', 'BETWEEN', 'THEN', 'ELSE', 'ESCAPE']);

/** The words with which the rows of an INSERT end. */
const AFTER_ROWS = new Set(['ON', 'RETURNING', 'SELECT', 'FROM', 'AS', 'OUTPUT']);

/** The characters before a value. */
const OPERATORS = '=<>!~|+*/%-';

/** Finds the values of a text that are not written as literals: passwords, settings, arguments of procedures, and strings in double quotes. */
export class ValueWords {
  /** The kind of the statement. Undefined before its first word. */
  #kind: StatementKind | undefined;
  /** True behind the name of the procedure of a call. */
  #isProcedureKnown = false;
  /** True behind the word VALUES. */
  #isInRows = false;
  #hasPassword = false;
  /** True if the data of the statement may follow it. */
  #hasData = false;

  constructor(
    private readonly sql: string,
    private readonly dialect: SqlDialect,
  ) {}

  /** True if a word, which goes from `start` to `end`, is a value. Most statements have no such words, so that little happens here. */
  isWord(start: number, end: number, word: string, previous: string, beforePrevious: string): boolean {
    if (this.#kind === undefined) {
      this.#kind = this.#kindOf(word.toUpperCase());
      return false;
    }
    if (LITERAL_WORDS.has(word)) return !isAfterIs(previous, beforePrevious);
    if (this.#isPassword(previous, beforePrevious)) return true;
    if (word.length === 6 && word.toUpperCase() === 'VALUES') this.#isInRows = true;
    else if (this.#isInRows && AFTER_ROWS.has(word.toUpperCase())) this.#isInRows = false;
    if (this.#kind === 'assignment') return this.#isSetting(start, end, previous);
    if (this.#kind === 'call') return this.#isArgument(start, word);
    if (this.#kind === 'copy') this.#hasData ||= word.toUpperCase() === 'STDIN';
    return false;
  }

  /**
   * True if a text in quotes, which goes from `start` to `end`, is a value rather than a name.
   *
   * @param isInList true in a list of literals
   */
  isQuoted(
    start: number,
    end: number,
    mark: string,
    previous: string,
    beforePrevious: string,
    isInList: boolean,
  ): boolean {
    if (this.#isPassword(previous, beforePrevious)) return true;
    if (this.#kind === 'call' && this.#isArgument(start, '')) return true;
    if (mark !== '"' || this.dialect.doubleQuotes !== 'name or string') return false;
    const before = characterBefore(this.sql, start);
    // The name of a column with its table: `"a"."b"`.
    if (before === '.' || characterAfter(this.sql, end) === '.') return false;
    return this.#isInRows || isInList || isOneOf(OPERATORS, before) || BEFORE_VALUE.has(previous.toUpperCase());
  }

  /** Ends a statement. Returns true if its data may follow, rather than another statement. */
  endStatement(): boolean {
    const hasData = this.#hasData;
    this.#kind = undefined;
    this.#isProcedureKnown = false;
    this.#isInRows = false;
    this.#hasPassword = false;
    this.#hasData = false;
    return hasData;
  }

  /** True behind the words with which a password is set. Oracle has it without quotes, or in those of a name; the old one may follow. */
  #isPassword(previous: string, beforePrevious: string): boolean {
    if (this.#hasPassword) return previous.toUpperCase() === 'REPLACE';
    if (previous.length !== 2 || previous.toUpperCase() !== 'BY') return false;
    this.#hasPassword = beforePrevious.toUpperCase() === 'IDENTIFIED';
    return this.#hasPassword;
  }

  #kindOf(firstWord: string): StatementKind {
    if (this.dialect.hasUnquotedArguments && CALLS.has(firstWord)) return 'call';
    return KINDS.get(firstWord) ?? 'other';
  }

  /** True for the value of a setting, as in `SET app.user = alice`. */
  #isSetting(start: number, end: number, previous: string): boolean {
    if (isOneOf('(.', characterAfter(this.sql, end))) return false;
    return characterBefore(this.sql, start) === '=' || previous.toUpperCase() === 'TO';
  }

  /** True for a word behind the name of a procedure, as in `EXEC sp_addlogin alice, secret`. */
  #isArgument(start: number, word: string): boolean {
    const wasKnown = this.#isProcedureKnown;
    this.#isProcedureKnown = true;
    return wasKnown && characterBefore(this.sql, start) !== '.' && !NO_ARGUMENTS.has(word.toUpperCase());
  }
}

/** True after IS or IS NOT: TRUE and FALSE belong to the operator there. */
function isAfterIs(previous: string, beforePrevious: string): boolean {
  const word = previous.toUpperCase();
  return word === 'IS' || (word === 'NOT' && beforePrevious.toUpperCase() === 'IS');
}

/** Returns the last character before an index that is no space. Empty at the beginning. */
function characterBefore(sql: string, start: number): string {
  let at = start - 1;
  while (at >= 0 && isSpace(sql.charCodeAt(at))) at--;
  return sql.charAt(at);
}

/** Returns the first character from an index on that is no space. Empty at the end. */
function characterAfter(sql: string, end: number): string {
  let at = end;
  while (at < sql.length && isSpace(sql.charCodeAt(at))) at++;
  return sql.charAt(at);
}

function isOneOf(characters: string, character: string): boolean {
  return character !== '' && characters.includes(character);
}
