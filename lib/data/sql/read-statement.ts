import { copyText } from '../../core/cut-text.js';
import type { SqlDialect } from './dialect.js';
import { Recent } from './recent.js';
import { scanStatement } from './scan-statement.js';
import type { ScannedStatement } from './scanned-statement.js';
import { StatementTemplates } from './statement-templates.js';

/** The number of characters that are read of a statement. A statement of megabytes must not hold up the application. */
const MAX_SCANNED = 32_768;

/** The length up to which a statement is remembered. */
const MAX_REMEMBERED_LENGTH = 2048;

/** The number of statements that are remembered at least. */
const MIN_REMEMBERED = 256;

/** The statements of a dialect that were read. An application executes the same few again and again. */
class StatementMemory {
  readonly byText = new Recent<ScannedStatement>(MIN_REMEMBERED);
  /** The statements with other values in their text. */
  readonly templates: StatementTemplates;

  constructor(dialect: SqlDialect) {
    this.templates = new StatementTemplates(dialect);
  }
}

const memories = new WeakMap<SqlDialect, StatementMemory>();

/**
 * Returns the statement without its literals, and its summary. The results do not keep a long text in memory. The text ends with the last
 * character that was read.
 */
export function readStatement(sql: string, dialect: SqlDialect): ScannedStatement {
  if (sql.length > MAX_REMEMBERED_LENGTH) return readLong(sql, dialect);
  const { byText, templates } = memoryOf(dialect);
  const remembered = byText.get(sql) ?? templates.find(sql);
  if (remembered) return remembered;
  const { literals, summary, text } = scanStatement(sql, dialect);
  const statement = { summary, text };
  byText.set(sql, statement);
  templates.add(sql, literals, statement);
  return statement;
}

function readLong(sql: string, dialect: SqlDialect): ScannedStatement {
  const isCut = sql.length > MAX_SCANNED;
  const { summary, text } = scanStatement(isCut ? sql.slice(0, MAX_SCANNED) : sql, dialect, isCut);
  return { summary: copyText(summary), text: copyText(text) };
}

function memoryOf(dialect: SqlDialect): StatementMemory {
  let memory = memories.get(dialect);
  if (!memory) memories.set(dialect, (memory = new StatementMemory(dialect)));
  return memory;
}
