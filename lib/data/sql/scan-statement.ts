import type { SqlDialect } from './dialect.js';
import type { StatementReading } from './scanned-statement.js';
import { StatementScanner } from './statement-scanner.js';

/**
 * Replaces the literals of a statement and summarizes it. A literal, a quoted name or a comment that does not end is replaced together with the
 * rest of the text.
 *
 * A setting of the server may give backslashes in strings another meaning than the usual one, and nothing tells which one is in force. Where it
 * matters, the statement is read in both ways. The rest of it is replaced, unless only the usual meaning leaves no string open and no backslash
 * outside of a string.
 *
 * @param isCut true if the statement goes on behind the text
 */
export function scanStatement(sql: string, dialect: SqlDialect, isCut = false): StatementReading {
  const { otherBackslashes } = dialect;
  const usual = new StatementScanner(sql, dialect).scan();
  const { doubtfulAt } = usual;
  if (!otherBackslashes || doubtfulAt === undefined) return usual;
  const isPossible = ({ hasStrayBackslash, isComplete }: StatementReading) =>
    !hasStrayBackslash && (isCut || isComplete);
  if (isPossible(usual) && !isPossible(new StatementScanner(sql, otherBackslashes).scan())) return usual;
  // Its quote alone begins a string that does not end.
  return new StatementScanner(sql.slice(0, doubtfulAt + 1), dialect).scan();
}
