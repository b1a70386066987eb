/** Statements that differ by their values only: all but the first are not read character by character. */
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MYSQL, ORACLE, POSTGRESQL, SQL_SERVER, SQLITE, type SqlDialect } from '../../../lib/data/sql/dialect.js';
import { readStatement } from '../../../lib/data/sql/read-statement.js';
import { scanStatement } from '../../../lib/data/sql/scan-statement.js';

/** `STATEMENT_RUNS=100000 npm test -- sql-templates` searches longer. */
const RUNS = Number(process.env.STATEMENT_RUNS ?? 3000);

const dialects: readonly (readonly [name: string, dialect: SqlDialect])[] = [
  ['PostgreSQL', POSTGRESQL],
  ['MySQL', MYSQL],
  ['SQLite', SQLITE],
  ['SQL Server', SQL_SERVER],
  ['Oracle', ORACLE],
];

/** Returns a dialect for which nothing is remembered. */
function fresh(dialect: SqlDialect): SqlDialect {
  return { ...dialect };
}

describe('statements that differ by their values', () => {
  const pairs: readonly (readonly [first: string, second: string])[] = [
    ['SELECT * FROM u WHERE id = 7', 'SELECT * FROM u WHERE id = 12345'],
    ["SELECT * FROM `u` WHERE name = 'Ann'", "SELECT * FROM `u` WHERE name = 'O''Neil; DROP TABLE u'"],
    ["INSERT INTO t2 VALUES (1, 'a', NULL, -2.5)", "INSERT INTO t2 VALUES (20, '', NULL, -0.001)"],
    ['SELECT 1', 'SELECT 2'],
    ["UPDATE t SET a = true, b = 'x' WHERE c IN (1, 2)", "UPDATE t SET a = true, b = 'yy' WHERE c IN (31, 4)"],
  ];

  it.each(pairs)('are read once: %s', (first, second) => {
    const dialect = fresh(MYSQL);

    const statement = readStatement(first, dialect);

    expect(readStatement(second, dialect)).toBe(statement);
    expect(statement).toMatchObject({ text: scanStatement(second, MYSQL).text });
  });

  it('are read each, beyond eight with the same beginning', () => {
    const dialect = fresh(MYSQL);
    const insertOf = (rows: number, value: number) =>
      `INSERT INTO t VALUES ${Array(rows).fill(`(${value})`).join(',')}`;
    const statements = Array.from({ length: 9 }, (_, index) => readStatement(insertOf(index + 1, 7), dialect));

    expect(readStatement(insertOf(9, 8), dialect)).toBe(statements[8]);
    expect(readStatement(insertOf(2, 8), dialect)).toBe(statements[1]);
    expect(readStatement(insertOf(1, 8), dialect)).not.toBe(statements[0]);
  });
});

describe('a value that changes what is around it', () => {
  const pairs: readonly (readonly [first: string, second: string, dialect: SqlDialect])[] = [
    ["SELECT 'a' AS zQx", "SELECT 'a\\' AS zQx, '", MYSQL],
    ["SELECT 'a' AS zQx", "SELECT 'a\\' AS zQx, '", POSTGRESQL],
    ["SELECT 1-2 'zQx'", "SELECT 1e-2 'zQx'", MYSQL],
    ["SELECT 'a' , 'b'", "SELECT 'a'' , zQx'", MYSQL],
    ["SELECT 'a' , 'b'", 'SELECT "a\' , zQx" ', MYSQL],
    ['SELECT 1 , 2', 'SELECT 0x1 , 2', SQL_SERVER],
    ['SELECT -1, zQx', 'SELECT --1, zQx', POSTGRESQL],
    ["SELECT 1, 'a'", "SELECT 1, 'zQx", MYSQL],
    ["SELECT 'a' || 'b'", "SELECT E'a\\' || zQx'", POSTGRESQL],
    ['SELECT "a" FROM t', 'SELECT "zQx"', SQLITE],
    ['SELECT 1 FROM t', 'SELECT 1zQx FROM t', MYSQL],
    ['/* 1 */ SELECT 1', '/* 1 */ SELECT 1 /* zQx */', MYSQL],
  ];

  it.each(pairs)('is read again: %s, then %s', (first, second, dialect) => {
    const own = fresh(dialect);
    readStatement(first, own);

    const { summary, text } = scanStatement(second, dialect);

    expect(readStatement(second, own)).toEqual({ summary, text });
  });
});

describe.each(dialects)('a random statement of %s', (_, dialect) => {
  const words =
    `SELECT|FROM|WHERE|t|a|t1|=|<>|AND|IN (|IN|(|)|,|LIKE|IS|NULL|BETWEEN|THEN|INSERT INTO|VALUES (|UPDATE|SET|DELETE FROM|AS|+|-|--|lower(|;|EXEC p
|@a|?|$1|:b|WITH x AS (|"c"|[c]|\`c\`|b.|*|/* 1 */|-- x\n|#|E|N|X|TOP (|TO|COPY t FROM STDIN|$$|$a$|true|\\|PRAGMA k|LIMIT|'|"|1|0x|e|.`
      .split('|')
      .map((word) => (word === '-- x\n' ? word : word.trim()));
  const value = fc.constantFrom(
    ...`0|7|1234567|1.5|.5|1.|1e5|1e-5|0xff|'a'|''|'a''b'|'x y'|"d"|""|'--'|'/*'|'"'|"'"|'\\'|'a\\'|'a\\'b'|true|NULL|N'a'|'1'|1a`.split(
      '|',
    ),
  );
  const part = fc.oneof(fc.record({ word: fc.constantFrom(...words) }), fc.record({ values: fc.tuple(value, value) }));
  const parts = fc.array(fc.tuple(part, fc.constantFrom('', ' ')), { maxLength: 14 });

  it('is read in the same way, whichever came before it', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const own = fresh(dialect);
        const statements = [0, 1].map((at) =>
          given.map(([one, space]) => ('word' in one ? one.word : one.values[at]) + space).join(''),
        );
        for (const sql of [...statements, ...statements]) {
          const { summary, text } = scanStatement(sql, dialect);
          expect(readStatement(sql, own)).toEqual({ summary, text });
        }
      }),
      { numRuns: RUNS },
    );
  });
});
