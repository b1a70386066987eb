/** Random statements, most of which no database would accept: a failed query is exported as well. */
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MYSQL, ORACLE, POSTGRESQL, SQL_SERVER, SQLITE, type SqlDialect } from '../../../lib/data/sql/dialect.js';
import { scanStatement } from '../../../lib/data/sql/scan-statement.js';

const SECRET = 'zQx';

/** `STATEMENT_RUNS=100000 npm test -- sql-random` searches longer. */
const RUNS = Number(process.env.STATEMENT_RUNS ?? 3000);

const words =
  `SELECT|FROM|WHERE|t|a|=|<>|AND|OR|NOT|IN|(|)|,|LIKE|IS|NULL|BETWEEN|CASE|WHEN|THEN|ELSE|END|ORDER BY|GROUP BY|HAVING|LIMIT|INSERT INTO
|VALUES|UPDATE|SET|DELETE FROM|JOIN|ON|AS|+|lower(|count(|DISTINCT|UNION|;|EXEC p|@a|?|1|WITH x AS (|RETURNING|CREATE TABLE|DEFAULT|CHECK (|USING|INTO
|EXISTS (|OVER (|PARTITION BY|ALTER TABLE|CALL p(|MERGE INTO|*|b.|[c]|ESCAPE|TOP (1)`
    .split('|')
    .map((word) => word.trim());

const literals: readonly (readonly [name: string, dialect: SqlDialect, literals: readonly string[]])[] = [
  [
    'PostgreSQL',
    POSTGRESQL,
    ["'zQx'", "E'a\\'zQx'", '$$zQx$$', '$a$ zQx $a$', "'a''zQx'", "U&'zQx'", '/* zQx */', '-- zQx\n', "'a\\', 'zQx'"],
  ],
  ['MySQL', MYSQL, ["'zQx'", '"zQx"', "'a\\'zQx'", "'a\\\\', 'zQx'", '# zQx\n', '-- zQx\n', '/* zQx */', "'a\"zQx'"]],
  ['SQLite', SQLITE, ["'zQx'", "x'zQx'", '/* zQx */', '-- zQx\n']],
  ['SQL Server', SQL_SERVER, ["'zQx'", "N'zQx'", '/* /* */ zQx */', '-- zQx\n', 'EXEC p zQx', "EXEC p @a = zQx, 'b'"]],
  ['Oracle', ORACLE, ["'zQx'", "q'[zQx']x]'", "nq'!zQx!'", 'IDENTIFIED BY zQx', '-- zQx\n']],
];

describe.each(literals)('a random statement of %s', (_, dialect, own) => {
  it('shows no literal', () => {
    const part = fc.oneof(
      { weight: 3, arbitrary: fc.constantFrom(...words) },
      { weight: 1, arbitrary: fc.constantFrom(...own) },
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 25 }), (parts) => {
        const { summary, text } = scanStatement(parts.join(' '), dialect);
        expect(`${text} ${summary}`).not.toContain(SECRET);
      }),
      { numRuns: RUNS },
    );
  });
});

describe.each([
  ['SQLite', SQLITE],
  ['SQL Server', SQL_SERVER],
] as const)('a random statement of %s', (_, dialect) => {
  it('shows no string in double quotes where a value is expected', () => {
    const place = fc.constantFrom(
      ...'=|<>|LIKE|lower(|f(a,|IN (|IN (a,|VALUES (|THEN|ELSE|BETWEEN 1 AND|IS NOT|DEFAULT|LIMIT|= (|coalesce(a,'.split(
        '|',
      ),
    );
    const others = fc.array(fc.constantFrom(...words.filter((word) => !word.endsWith('.'))), { maxLength: 10 });
    fc.assert(
      fc.property(others, place, others, (head, before, tail) => {
        const sql = `${head.join(' ')} a ${before} "zQx" , ${tail.join(' ')}`;
        expect(scanStatement(sql, dialect).text).not.toContain(SECRET);
      }),
      { numRuns: RUNS },
    );
  });
});
