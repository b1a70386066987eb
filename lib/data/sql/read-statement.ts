import { copyText } from '../../core/cut-text.js';
import type { SqlDialect } from './dialect.js';
import { scanStatement } from './scan-statement.js';
import type { ScannedStatement } from './scanned-statement.js';

/** The number of characters that are read of a statement. A statement of megabytes must not hold up the application. */
const MAX_SCANNED = 32_768;

/** The length up to which a statement is remembered. */
const MAX_REMEMBERED_LENGTH = 2048;

/** The number of statements that are remembered at least; at most twice as many are. */
const MIN_REMEMBERED = 256;

/** The statements that were read, by their text. An application executes the same few again and again. */
interface Memory {
  newer: Map<string, ScannedStatement>;
  older: Map<string, ScannedStatement>;
}

const memories = new WeakMap<SqlDialect, Memory>();

/**
 * Returns the statement without its literals, and its summary. The results do not keep a long text in memory. The text ends with the last
 * character that was read.
 *
 * @param isUnique true if the same text will hardly come again
 */
export function readStatement(sql: string, dialect: SqlDialect, isUnique = false): ScannedStatement {
  if (sql.length > MAX_REMEMBERED_LENGTH) return scanLong(sql, dialect);
  if (isUnique) return scanStatement(sql, dialect);
  const memory = memoryOf(dialect);
  const remembered = memory.newer.get(sql);
  if (remembered) return remembered;
  const statement = memory.older.get(sql) ?? scanStatement(sql, dialect);
  if (memory.newer.size >= MIN_REMEMBERED) {
    memory.older = memory.newer;
    memory.newer = new Map();
  }
  memory.newer.set(sql, statement);
  return statement;
}

function scanLong(sql: string, dialect: SqlDialect): ScannedStatement {
  const isCut = sql.length > MAX_SCANNED;
  const { summary, text } = scanStatement(isCut ? sql.slice(0, MAX_SCANNED) : sql, dialect, isCut);
  return { summary: copyText(summary), text: copyText(text) };
}

function memoryOf(dialect: SqlDialect): Memory {
  let memory = memories.get(dialect);
  if (!memory) memories.set(dialect, (memory = { newer: new Map(), older: new Map() }));
  return memory;
}
