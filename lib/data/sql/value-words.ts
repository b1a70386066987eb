import { characterAfter, characterBefore, isOneOf } from './characters.js';
import type { SqlDialect } from './dialect.js';
import { DoubleQuotes } from './double-quotes.js';

/** The words that are literals themselves. */
const LITERAL_WORDS = new Set(['true', 'false', 'TRUE', 'FALSE', 'True', 'False']);

/** The kinds of statements in which words, or names in quotes, may be values. */
type StatementKind = 'assignment' | 'alteration' | 'pragma' | 'call' | 'copy' | 'file' | 'other';

const KINDS = new Map<string, StatementKind>([
  ['SET', 'assignment'],
  ['ALTER', 'alteration'],
  ['PRAGMA', 'pragma'],
  ['COPY', 'copy'],
  ['ATTACH', 'file'],
  ['VACUUM', 'file'],
]);

const CALLS = new Set(['EXEC', 'EXECUTE']);

/** The words directly behind EXECUTE with which it is no call: `EXECUTE AS USER`, `GRANT EXECUTE ON`. */
const NO_PROCEDURE = new Set(['AS', 'ON', 'TO']);

/** The words in a call that are no arguments. */
const NO_ARGUMENTS = new Set('OUTPUT OUT NULL DEFAULT WITH RECOMPILE RESULT SETS AS AT GO'.split(' '));

/** The reserved words with which a statement begins. In a batch, no semicolon has to stand before them. */
const STATEMENTS = new Set(
  `ALTER BACKUP BEGIN BREAK BULK CHECKPOINT CLOSE COMMIT CONTINUE CREATE DBCC DEALLOCATE DECLARE DELETE DENY DROP ELSE END EXEC EXECUTE FETCH
  GOTO GRANT IF INSERT KILL MERGE OPEN PRINT RAISERROR READTEXT RECONFIGURE RESTORE RETURN REVERT REVOKE ROLLBACK SAVE SELECT SET SETUSER
  SHUTDOWN TRUNCATE UPDATE UPDATETEXT USE WAITFOR WHILE WRITETEXT`.split(/\s+/),
);

/** The other words that a batch may begin with. Any other one is the name of a procedure. */
const BEGINNINGS = new Set(
  `ADD CALL DISABLE ENABLE EXPLAIN GET GO MOVE RECEIVE RELEASE REPLACE SAVEPOINT SEND SHOW START THROW VALUES WITH`.split(
    ' ',
  ),
);

/** A sign of a currency with an amount, which SQL Server reads as a number. */
const MONEY = /^\p{Sc}/u;
const FIRST_CURRENCY_SIGN = 0xa2;

/** Finds the values of a text that are not written as literals: passwords, settings, arguments of procedures, and strings in double quotes. */
export class ValueWords {
  /** The kind of the statement. Undefined before its first word. */
  #kind: StatementKind | undefined;
  /** True if no statement has ended. */
  #isFirst = true;
  /** True behind the name of the procedure of a call. */
  #isProcedureKnown = false;
  /** True if the statement has set a password. */
  #hasPassword = false;
  /** True if the data of the statement may follow it. */
  #hasData = false;
  readonly #doubleQuotes: DoubleQuotes | undefined;

  constructor(
    private readonly sql: string,
    private readonly dialect: SqlDialect,
  ) {
    this.#doubleQuotes = dialect.doubleQuotes === 'name or string' ? new DoubleQuotes(sql) : undefined;
  }

  /** True if a word, which goes from `start` to `end`, is a value. Most statements have no such words, so that little happens here. */
  isWord(start: number, end: number, word: string, previous: string, beforePrevious: string): boolean {
    this.#doubleQuotes?.addWord(word, previous);
    if (this.#kind === undefined) {
      this.#start(word.toUpperCase());
      return false;
    }
    if (LITERAL_WORDS.has(word)) return !isAfterIs(previous, beforePrevious);
    if (this.#isPassword(start, word, previous, beforePrevious)) return true;
    if (this.dialect.hasUnquotedArguments) {
      if (word.charCodeAt(0) >= FIRST_CURRENCY_SIGN && MONEY.test(word)) return true;
      if (this.#startNext(word)) return false;
    }
    switch (this.#kind) {
      case 'assignment':
      case 'pragma':
        // A password may follow.
        return word.toUpperCase() !== 'IDENTIFIED' && this.#isSetting(start, end, previous);
      case 'call':
        return this.#isArgument(start, word);
      case 'alteration':
        if (word.toUpperCase() === 'SET') this.#kind = 'assignment';
        return false;
      case 'copy':
        this.#hasData ||= word.toUpperCase() === 'STDIN';
        return false;
      default:
        return false;
    }
  }

  /** True if a text in quotes, which goes from `start` to `end`, is a value rather than a name. */
  isQuoted(start: number, end: number, mark: string, previous: string, beforePrevious: string): boolean {
    if (this.#kind === undefined && this.dialect.hasUnquotedArguments) this.#start('');
    if (this.#isPassword(start, '', previous, beforePrevious)) return true;
    const kind = this.#kind;
    if (kind === 'call') return this.#isArgument(start, '');
    if (kind === 'file' && mark === '"') return previous.toUpperCase() !== 'AS';
    if ((kind === 'assignment' || kind === 'pragma') && this.#isSetting(start, end, previous)) return true;
    return mark === '"' && this.#doubleQuotes?.isName(start, end, previous, beforePrevious) === false;
  }

  /** @param word the word directly before the parenthesis */
  openParenthesis(at: number, word: string): void {
    this.#doubleQuotes?.open(at, word);
  }

  closeParenthesis(): void {
    this.#doubleQuotes?.close();
  }

  /** Ends a statement. Returns true if its data may follow, rather than another statement. */
  endStatement(): boolean {
    const hasData = this.#hasData;
    this.#kind = undefined;
    this.#isFirst = false;
    this.#isProcedureKnown = false;
    this.#hasPassword = false;
    this.#hasData = false;
    this.#doubleQuotes?.endStatement();
    return hasData;
  }

  /** @param firstWord empty for a name in quotes */
  #start(firstWord: string): void {
    const { hasUnquotedArguments } = this.dialect;
    this.#kind = KINDS.get(firstWord) ?? 'other';
    if (!hasUnquotedArguments) return;
    // In the first statement of a batch, a procedure is called by its name alone.
    const isName = this.#isFirst && !STATEMENTS.has(firstWord) && !BEGINNINGS.has(firstWord);
    if (!isName && !CALLS.has(firstWord)) return;
    this.#kind = 'call';
    this.#isProcedureKnown = isName;
  }

  /** Starts a statement in the middle of a batch. Returns false if the word does not begin one. */
  #startNext(word: string): boolean {
    const upper = word.toUpperCase();
    if (!STATEMENTS.has(upper)) return false;
    if (CALLS.has(upper)) {
      this.#kind = 'call';
      this.#isProcedureKnown = false;
    } else if (this.#kind === 'call' || upper !== 'SET') this.#kind = 'other';
    return true;
  }

  /** True behind the words with which a password is set. Oracle has it without quotes, or in those of a name; others may follow. */
  #isPassword(start: number, word: string, previous: string, beforePrevious: string): boolean {
    const isFirst =
      previous.length === 2 && previous.toUpperCase() === 'BY' && beforePrevious.toUpperCase() === 'IDENTIFIED';
    const isFurther =
      this.#hasPassword &&
      (previous.toUpperCase() === 'REPLACE' || characterBefore(this.sql, start) === ',') &&
      word.toUpperCase() !== 'IDENTIFIED';
    this.#hasPassword ||= isFirst;
    return isFirst || isFurther;
  }

  /** True for the value of a setting, as in `SET app.user = alice`. A setting may have several. */
  #isSetting(start: number, end: number, previous: string): boolean {
    const before = characterBefore(this.sql, start);
    if (this.#kind === 'pragma') return isOneOf('=(', before);
    const after = characterAfter(this.sql, end);
    if (isOneOf('(.', after)) return false;
    return (
      before === '=' || previous.toUpperCase() === 'TO' || (before === ',' && (after === '' || isOneOf(',;', after)))
    );
  }

  /** True for a word behind the name of a procedure, as in `EXEC sp_addlogin alice, secret`. */
  #isArgument(start: number, word: string): boolean {
    const wasKnown = this.#isProcedureKnown;
    const upper = word.toUpperCase();
    if (!wasKnown && NO_PROCEDURE.has(upper)) this.#kind = 'other';
    this.#isProcedureKnown = true;
    return wasKnown && characterBefore(this.sql, start) !== '.' && !NO_ARGUMENTS.has(upper);
  }
}

/** True after IS or IS NOT: TRUE and FALSE belong to the operator there. */
function isAfterIs(previous: string, beforePrevious: string): boolean {
  const word = previous.toUpperCase();
  return word === 'IS' || (word === 'NOT' && beforePrevious.toUpperCase() === 'IS');
}
