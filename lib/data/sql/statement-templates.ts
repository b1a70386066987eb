import { DOT, DOUBLE_QUOTE, isDigit, QUOTE } from './characters.js';
import type { SqlDialect } from './dialect.js';
import { Recent } from './recent.js';
import type { ScannedStatement } from './scanned-statement.js';
import { endOfQuoted } from './token-ends.js';

/** The number of beginnings of statements that are remembered at least. */
const MIN_BEGINNINGS = 256;

/** The number of templates with the same beginning, such as inserts of a different number of rows. */
const MAX_WITH_SAME_BEGINNING = 8;

/** The first character that may start a literal. */
const LITERAL_START = /['"]|\b\d/;

/** A statement that was read, without the strings and numbers that may differ the next time. */
interface Template {
  /** The texts between these literals, the one before the first and the one behind the last included. */
  readonly pieces: readonly string[];
  /** The first character of each of these literals. Any digit stands for all of them. */
  readonly starts: readonly number[];
  readonly statement: ScannedStatement;
}

/**
 * Remembers statements by everything but their strings and numbers. Drivers and ORMs put values into the same few statements again and again, and
 * it takes a tenth of the time to find the values in a known statement than to read an unknown one.
 *
 * A statement with other values is read in the same way, as long as each value is one literal of the same kind, with the same character behind
 * it. This does not hold for backslashes, whose meaning depends on what follows.
 */
export class StatementTemplates {
  readonly #byBeginning = new Recent<Template[]>(MIN_BEGINNINGS);

  constructor(private readonly dialect: SqlDialect) {}

  /** Returns the statement that differs from `sql` only by its values. */
  find(sql: string): ScannedStatement | undefined {
    const start = sql.search(LITERAL_START);
    if (start === -1) return undefined;
    const templates = this.#byBeginning.get(sql.slice(0, start));
    return templates?.find((template) => this.#matches(template, sql))?.statement;
  }

  /** @param literals the indexes of the start and the end of each literal, in their order */
  add(sql: string, literals: readonly number[], statement: ScannedStatement): void {
    const start = sql.search(LITERAL_START);
    if (start === -1 || sql.includes('\\')) return;
    const template = this.#templateOf(sql, literals, statement);
    if (template.starts.length === 0) return;
    const beginning = sql.slice(0, start);
    const others = this.#byBeginning.get(beginning) ?? [];
    this.#byBeginning.set(beginning, [template, ...others.slice(0, MAX_WITH_SAME_BEGINNING - 1)]);
  }

  #templateOf(sql: string, literals: readonly number[], statement: ScannedStatement): Template {
    const pieces: string[] = [];
    const starts: number[] = [];
    let copied = 0;
    for (let index = 0; index < literals.length; index += 2) {
      const [start = 0, end = 0] = literals.slice(index, index + 2);
      // Any other literal, such as a string with a prefix, has to be the same.
      if (this.#endOfValue(sql, start) !== end) continue;
      pieces.push(sql.slice(copied, start));
      starts.push(kindOf(sql.charCodeAt(start)));
      copied = end;
    }
    pieces.push(sql.slice(copied));
    return { pieces, starts, statement };
  }

  #matches({ pieces, starts }: Template, sql: string): boolean {
    let at = 0;
    for (let index = 0; index < starts.length; index++) {
      const piece = pieces[index] as string;
      if (!sql.startsWith(piece, at)) return false;
      at += piece.length;
      if (kindOf(sql.charCodeAt(at)) !== starts[index]) return false;
      const end = this.#endOfValue(sql, at);
      if (end === undefined) return false;
      at = end;
    }
    const last = pieces[starts.length] as string;
    return sql.length - at === last.length && sql.endsWith(last) && !sql.includes('\\');
  }

  /** Returns the end of a string or of a decimal number. Undefined if none starts at the index. */
  #endOfValue(sql: string, start: number): number | undefined {
    const code = sql.charCodeAt(start);
    if (isDigit(code)) return endOfDecimal(sql, start);
    // Double quotes may also have a name between them, depending on what is around them.
    const isString = code === QUOTE || (code === DOUBLE_QUOTE && this.dialect.doubleQuotes === 'string');
    return isString ? endOfQuoted(sql, start, sql.charAt(start), false) : undefined;
  }
}

function kindOf(code: number): number {
  return isDigit(code) ? 0 : code;
}

/** Returns the end of a number of digits and dots. Letters behind it belong to the text that has to be the same. */
function endOfDecimal(sql: string, start: number): number | undefined {
  let end = start + 1;
  while (isDigit(sql.charCodeAt(end)) || sql.charCodeAt(end) === DOT) end++;
  return isDigit(sql.charCodeAt(end - 1)) ? end : undefined;
}
