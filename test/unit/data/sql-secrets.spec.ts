/** No literal of a statement survives, however the statement is written, and wherever it is cut off. */
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MYSQL, ORACLE, POSTGRESQL, SQL_SERVER, SQLITE, type SqlDialect } from '../../../lib/data/sql/dialect.js';
import { readStatement } from '../../../lib/data/sql/read-statement.js';
import { scanStatement } from '../../../lib/data/sql/scan-statement.js';

/** A text that occurs in no statement but in its literals. */
const SECRET = 'zQx';
const SECRET_NUMBER = '987654';

/** Texts inside of a literal: the secret among everything that could end a literal or start another one. */
const inner = fc
  .array(
    fc.constantFrom(
      SECRET,
      "'",
      '"',
      '`',
      '\\',
      '$',
      '$$',
      '$t$',
      '--',
      '/*',
      '*/',
      '#',
      '[',
      ']',
      ';',
      '\n',
      ' ',
      'E',
      'é',
      '(',
      ')',
      '?',
      '1',
    ),
    {
      maxLength: 12,
    },
  )
  .map((parts) => parts.join('') + SECRET);

const doubled = (mark: string) => inner.map((text) => mark + text.replaceAll(mark, mark + mark) + mark);
const escaped = (mark: string) =>
  inner.map((text) => mark + text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`) + mark);
const escapedAndDoubled = inner.map((text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`);
const dollarQuoted = fc
  .tuple(fc.constantFrom('$$', '$tag$', '$_1$'), inner)
  .map(([tag, text]) => tag + text.replaceAll('$', '') + tag);
const number = fc.constantFrom(
  SECRET_NUMBER,
  `0x${SECRET_NUMBER}`,
  `${SECRET_NUMBER}.5e-${SECRET_NUMBER}`,
  `.${SECRET_NUMBER}`,
  `-${SECRET_NUMBER}`,
  `1e+${SECRET_NUMBER}`,
);
const comment = inner.map(
  (text) => `/*${text.replaceAll('/*', '').replaceAll('*/', '').replaceAll('*', '').replaceAll('!', '')}*/`,
);
const lineComment = inner.map((text) => `-- ${text.replaceAll('\n', '')}\n`);

const dialects: readonly [string, SqlDialect, fc.Arbitrary<string>][] = [
  [
    'PostgreSQL',
    POSTGRESQL,
    fc.oneof(
      doubled("'"),
      escaped("'").map((it) => `E${it}`),
      escapedAndDoubled.map((it) => `e${it}`),
      dollarQuoted,
      doubled("'").map((it) => `U&${it}`),
      doubled("'").map((it) => `${it}::text`),
    ),
  ],
  [
    'MySQL',
    MYSQL,
    fc.oneof(
      escaped("'"),
      escaped('"'),
      escapedAndDoubled,
      escaped("'").map((it) => `_utf8mb4${it}`),
      inner.map((text) => `# ${text.replaceAll('\n', '')}\n1`),
    ),
  ],
  [
    'SQL Server',
    SQL_SERVER,
    fc.oneof(
      doubled("'"),
      doubled("'").map((it) => `N${it}`),
    ),
  ],
  ['SQLite', SQLITE, doubled("'")],
  [
    'Oracle',
    ORACLE,
    fc.oneof(
      doubled("'"),
      inner.map((text) => `q'{${text.replaceAll('}', '').replaceAll("'", '')}}'`),
    ),
  ],
];

const pieces = fc.constantFrom(
  'SELECT ',
  'a.b, ',
  ' FROM t',
  ' WHERE x = ',
  ' IN (',
  ')',
  ', ',
  '$1',
  '::int ',
  ' AND y > ',
  ' || ',
  '; ',
  '(',
  'VALUES (',
  ' IS TRUE ',
  '\n',
);

describe.each(dialects)('the literals of %s', (_, dialect, literal) => {
  const token = fc.oneof(
    { weight: 3, arbitrary: pieces },
    { weight: 2, arbitrary: literal.map((it) => ` ${it} `) },
    { weight: 1, arbitrary: fc.oneof(number, comment, lineComment).map((it) => ` ${it} `) },
  );
  const statement = fc.array(token, { maxLength: 20 }).map((tokens) => tokens.join(''));

  it('never survive, neither in the text nor in the summary', () => {
    fc.assert(
      fc.property(statement, (sql) => {
        const { text, summary } = scanStatement(sql, dialect);
        expect(text + summary).not.toContain(SECRET);
        expect(text + summary).not.toContain(SECRET_NUMBER);
      }),
      { numRuns: 2000 },
    );
  });

  it('never survive where the statement is cut off', () => {
    fc.assert(
      fc.property(statement, fc.nat(), (sql, cut) => {
        const { text, summary } = scanStatement(sql.slice(0, cut % (sql.length + 1)), dialect);
        expect(text + summary).not.toContain(SECRET);
        expect(text + summary).not.toContain(SECRET_NUMBER);
      }),
      { numRuns: 2000 },
    );
  });

  it('leave any other text in a form that is read to the same result', () => {
    fc.assert(
      fc.property(fc.string(), (sql) => {
        const { text } = scanStatement(sql, dialect);
        expect(scanStatement(text, dialect).text).toBe(text);
      }),
    );
  });
});

describe('a statement of a megabyte', () => {
  const MEGABYTE = 1_000_000;
  const hostile = [
    "'",
    '"',
    '`',
    "\\'",
    '$$',
    '$a$b',
    '/*',
    '/**/',
    '*/',
    '--',
    '#',
    '[',
    '(',
    '((1),',
    '.',
    ':',
    '@',
    '?',
    'a.',
    '1e+',
    'IN (1)',
    "E'\\",
    '/*!1',
    'SELECT a FROM b,',
    '\u{1f600}',
    ' ',
  ];

  it.each(hostile)('of %j is read in bounded time', (unit) => {
    const sql = unit.repeat(Math.ceil(MEGABYTE / unit.length));
    for (const [, dialect] of dialects) {
      const startedAt = process.cpuUsage();
      const { text, summary } = readStatement(sql, dialect);
      const { user } = process.cpuUsage(startedAt);
      expect(user).toBeLessThan(250_000);
      expect(text.length).toBeLessThan(70_000);
      expect(summary.length).toBeLessThanOrEqual(255);
    }
  });

  it('hides a string that goes on behind the part that is read', () => {
    const { text } = readStatement(`SELECT ${' '.repeat(32_000)} '${SECRET.repeat(MEGABYTE)}'`, POSTGRESQL);
    expect(text).toMatch(/^SELECT +\?$/);
  });
});

describe('a summary', () => {
  it('never has half a name, and at most 255 characters', () => {
    const tables = Array.from({ length: 40 }, (_, index) => `table_number_${index}`);
    const { summary } = scanStatement(`SELECT * FROM ${tables.join(', ')}`, POSTGRESQL);
    expect(summary.length).toBeLessThanOrEqual(255);
    expect(summary.length).toBeGreaterThan(230);
    const [operation, ...names] = summary.split(' ');
    expect(operation).toBe('SELECT');
    expect(names).toEqual(tables.slice(0, names.length));
  });

  it('has no name that is longer than it may be', () => {
    expect(scanStatement(`SELECT * FROM ${'n'.repeat(300)}`, MYSQL).summary).toBe('SELECT');
  });
});

describe('the memory of statements', () => {
  it('gives the same result for a statement that was read before, for each dialect', () => {
    const sql = 'SELECT "a" FROM b';
    expect(readStatement(sql, MYSQL)).toBe(readStatement(sql, MYSQL));
    expect(readStatement(sql, MYSQL).text).toBe('SELECT ? FROM b');
    expect(readStatement(sql, POSTGRESQL).text).toBe('SELECT "a" FROM b');
  });

  it('still knows a statement that is in use after many others', () => {
    const sql = 'SELECT * FROM used WHERE id = 1';
    const first = readStatement(sql, SQLITE);
    for (let i = 0; i < 1000; i++) {
      readStatement(`SELECT ${i}`, SQLITE);
      expect(readStatement(sql, SQLITE)).toBe(first);
    }
  });
});
