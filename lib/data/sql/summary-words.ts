/** The words that the summary of a statement depends on. */

/** The operations that name a target, and may stand at the beginning of a statement or in parentheses. */
export const WITH_TARGET = new Set([
  'INSERT',
  'UPDATE',
  'DELETE',
  'REPLACE',
  'MERGE',
  'UPSERT',
  'CALL',
  'EXEC',
  'EXECUTE',
  'COPY',
  'LOCK',
  'TRUNCATE',
]);

/** The operations after which a FROM or a USING of the same level names tables. */
export const WITH_SOURCE = new Set(['SELECT', 'UPDATE', 'DELETE', 'MERGE']);

/** The operations on an object of a schema. They are summarized with the kind of object. */
export const DEFINITIONS = new Set(['CREATE', 'ALTER', 'DROP']);

export const OBJECT_KINDS = new Set([
  'TABLE',
  'INDEX',
  'VIEW',
  'DATABASE',
  'SCHEMA',
  'SEQUENCE',
  'FUNCTION',
  'PROCEDURE',
  'TRIGGER',
  'TYPE',
  'DOMAIN',
  'EXTENSION',
  'POLICY',
  'USER',
  'ROLE',
  'LOGIN',
]);

/** The words between an operation and its target. */
export const BEFORE_TARGET = new Set([
  'INTO',
  'FROM',
  'TABLE',
  'ONLY',
  'IF',
  'NOT',
  'EXISTS',
  'LATERAL',
  'IGNORE',
  'LOW_PRIORITY',
  'HIGH_PRIORITY',
  'DELAYED',
  'QUICK',
  'CONCURRENTLY',
  'OR',
  'ABORT',
  'FAIL',
  'ROLLBACK',
  'REPLACE',
  'OVERWRITE',
]);

/** The words after which a comma no longer separates tables. */
export const AFTER_SOURCES = new Set([
  'WHERE',
  'GROUP',
  'ORDER',
  'HAVING',
  'LIMIT',
  'OFFSET',
  'FETCH',
  'UNION',
  'INTERSECT',
  'EXCEPT',
  'MINUS',
  'SET',
  'VALUES',
  'RETURNING',
  'OUTPUT',
  'WINDOW',
  'FOR',
  'WHEN',
]);

/** The words that may stand where a table is expected, and are not the name of one. */
export const NOT_A_TARGET = new Set(['SET', 'VALUES', 'WHERE', 'DEFAULT', 'UNNEST', 'STDIN', 'STDOUT']);

/** The statements whose own operation follows their first word. */
export const BEFORE_OPERATION = new Set(['EXPLAIN', 'DESCRIBE', 'DESC', 'PROFILE']);

/** The other words that a summary depends on. */
const OTHER_WORDS = ['SELECT', 'WITH', 'RECURSIVE', 'JOIN', 'APPLY', 'USING', 'DISTINCT', 'TRANSACTION', 'START'];

/**
 * The words in capital letters, by their usual spellings. Looking a word up is faster than changing its case, and most words of a
 * statement are none of these.
 */
export const KEYWORDS = new Map<string, string>(
  [
    ...OTHER_WORDS,
    ...WITH_TARGET,
    ...WITH_SOURCE,
    ...DEFINITIONS,
    ...OBJECT_KINDS,
    ...BEFORE_TARGET,
    ...AFTER_SOURCES,
    ...NOT_A_TARGET,
    ...BEFORE_OPERATION,
  ].flatMap((word) => [word, word.toLowerCase(), capitalize(word)].map((spelling) => [spelling, word] as const)),
);

function capitalize(word: string): string {
  return word.charAt(0) + word.slice(1).toLowerCase();
}
