/** Statements of each dialect with a secret in every place where it may have a value. Neither the text nor the summary has it. */
import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { MYSQL, ORACLE, POSTGRESQL, SQL_SERVER, SQLITE, type SqlDialect } from '../../../lib/data/sql/dialect.js';
import { readStatement } from '../../../lib/data/sql/read-statement.js';
import { scanStatement } from '../../../lib/data/sql/scan-statement.js';

const SECRET = 'zQx';

/** Places of a string, which stands where the percent sign is. */
const PLACES: readonly string[] = [
  'SELECT %',
  'SELECT %, %, a FROM t',
  'SELECT a, (%) FROM t',
  'SELECT DISTINCT a || % AS b FROM t',
  'SELECT % || a FROM t',
  'SELECT lower(%), f(g(a, %), %) FROM t',
  'SELECT CASE WHEN a = % THEN % ELSE % END FROM t',
  'SELECT CASE a WHEN % THEN b END FROM t',
  'SELECT CASE % WHEN a THEN b END FROM t',
  'SELECT CAST(% AS text) FROM t',
  'SELECT * FROM t WHERE a = %',
  'SELECT * FROM t WHERE a=%',
  'SELECT * FROM t WHERE % = a',
  'SELECT * FROM t WHERE a <> % AND b != % OR c >= %',
  'SELECT * FROM t WHERE (a = %) AND NOT b = %',
  'SELECT * FROM t WHERE a = (%)',
  'SELECT * FROM t WHERE a IN (%, %)',
  'SELECT * FROM t WHERE a NOT IN (lower(b), %, %)',
  'SELECT * FROM t WHERE (a, b) IN ((%, %))',
  'SELECT * FROM t WHERE % IN (SELECT a FROM u)',
  'SELECT * FROM t WHERE a LIKE % ESCAPE %',
  'SELECT * FROM t WHERE a NOT LIKE %',
  'SELECT * FROM t WHERE a BETWEEN % AND %',
  'SELECT * FROM t WHERE a IS NOT % AND b IS %',
  'SELECT * FROM t WHERE a IS DISTINCT FROM %',
  'SELECT * FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.a = % AND % = u.b)',
  'SELECT * FROM t JOIN u ON t.a = % AND u.b = lower(%)',
  'SELECT * FROM f(%) x',
  'SELECT * FROM t JOIN f(%, %) x ON 1 = 1',
  'SELECT a FROM t GROUP BY a HAVING max(b) > %',
  'SELECT a FROM t ORDER BY CASE WHEN a = % THEN 1 END',
  'SELECT a FROM t ORDER BY f(a, %)',
  'SELECT a FROM t UNION ALL SELECT %',
  'WITH x AS (SELECT % AS a) SELECT * FROM x WHERE a = %',
  'WITH x (a) AS (SELECT lower(%)) SELECT * FROM x',
  'INSERT INTO t VALUES (%)',
  'INSERT INTO t (a, b) VALUES (%, 1), (2, %), (f(%), %)',
  'INSERT INTO t (a) SELECT %',
  'INSERT INTO t (a) SELECT b FROM u WHERE c = %',
  'UPDATE t SET a = %, b = %',
  'UPDATE t SET a = f(%), b = a + % WHERE c = %',
  'DELETE FROM t WHERE a = % AND b = %',
  'MERGE INTO t USING u ON (t.a = %) WHEN MATCHED THEN UPDATE SET b = %',
  'CALL p(%, %)',
  'CREATE TABLE t (a text DEFAULT %, b text CHECK (b <> %))',
  'CREATE VIEW v AS SELECT lower(%) AS a',
  'CREATE INDEX i ON t (a) WHERE b = %',
  'ALTER TABLE t ADD COLUMN a text DEFAULT %',
  'ALTER TABLE t ADD CONSTRAINT d DEFAULT lower(%) FOR a',
  'SELECT 1; SELECT %; SELECT lower(%)',
  '/* a */ SELECT /* b */ % -- c\n, % FROM t',
];

/** Statements with the secret in the forms of one dialect. */
const OF_POSTGRES: readonly string[] = [
  "SELECT E'a\\'zQx', e'zQx\\\\'",
  "SELECT E'a'\n  'b\\'zQx'",
  "SELECT U&'\\0061zQx' UESCAPE '!'",
  "SELECT U&'d!0061zQx'",
  'SELECT $$zQx$$, $a$ $$ zQx $a$, $é$zQx$é$',
  'SELECT $a$zQx',
  'SELECT 1$a$ a zQx $a$',
  'SELECT $1$a$ a zQx $a$',
  'SELECT $x\u00a0y$ zQx $x\u00a0y$',
  "SELECT B'1', X'zQx', N'zQx'",
  "SELECT '{zQx}'::text[], ARRAY['zQx'], ROW('zQx', 1)",
  "SELECT data->>'zQx', data#>>'{a,zQx}', data @> '{\"a\":\"zQx\"}'",
  "SELECT interval '1 zQx', date 'zQx', timestamp'zQx'",
  "SELECT 'a' -- zQx\n 'zQx'",
  'SELECT 1 /* a /* b */ zQx */',
  'SELECT 1 -- a\r\n, 2 /* zQx',
  "SET app.user = 'zQx'",
  'SET app.user = zQx',
  'SET LOCAL app.user TO zQx',
  'SET search_path TO a, zQx, b',
  'SET search_path = "a", "zQx"',
  'SET app.user = "zQx"',
  'ALTER ROLE bob SET app.key = zQx',
  "ALTER DATABASE d SET app.key TO 'zQx'",
  'ALTER SYSTEM SET a.b = zQx',
  "SELECT set_config('app.user', 'zQx', true)",
  "CREATE ROLE bob PASSWORD 'zQx'",
  "CREATE USER MAPPING FOR bob SERVER s OPTIONS (user 'bob', password 'zQx')",
  "CREATE SUBSCRIPTION s CONNECTION 'password=zQx' PUBLICATION p",
  "COMMENT ON TABLE t IS 'zQx'",
  "NOTIFY c, 'zQx'",
  "DO $do$ BEGIN PERFORM 'zQx'; END $do$",
  "DO 'BEGIN PERFORM zQx; END'",
  'COPY t FROM STDIN;\nzQx\t1\n\\.\n',
  "COPY t FROM PROGRAM 'curl -u zQx'",
  "EXECUTE p('zQx', 1)",
  "PREPARE p AS SELECT 'zQx'",
  "SELECT xmlelement(name a, 'zQx')",
  "SELECT 'a\\', 'zQx'",
];

/** With `standard_conforming_strings = off`, a backslash escapes the quote behind it. */
const OF_OLD_POSTGRES: readonly string[] = [
  "SELECT * FROM t WHERE a = 'it\\'s zQx'",
  "INSERT INTO t VALUES ('it\\'s', 'zQx', 'that\\'s zQx')",
];

const OF_MYSQL: readonly string[] = [
  "SELECT 'a\\'zQx', 'b\\\\', 'zQx', 'c''zQx'",
  'SELECT "zQx", "a\\"zQx", "b""zQx", \'it"s zQx\'',
  "SELECT _utf8mb4'zQx', N'zQx', x'zQx', n'a\\'zQx'",
  "SELECT 'a' 'zQx'",
  "SELECT @a := 'zQx', @'zQx', @\"zQx\"",
  'SELECT 1 # zQx\n, 2 -- zQx\n',
  'SELECT 1 -- a\rzQx\n',
  "SELECT /*!50001 'se*/zQx', */ 1",
  "SELECT /*M!100100 'zQx' */ 1",
  'SELECT /*+ zQx */ 1',
  "SELECT a AS 'zQx' FROM t",
  "CREATE USER 'zQx'@'%' IDENTIFIED BY 'zQx'",
  "ALTER USER u IDENTIFIED WITH p BY 'zQx' REPLACE 'zQx'",
  "GRANT ALL ON *.* TO u IDENTIFIED BY 'zQx'",
  "SET PASSWORD FOR 'u' = PASSWORD('zQx')",
  "CHANGE MASTER TO MASTER_PASSWORD='zQx'",
  "CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD = 'zQx'",
  'SET @a = \'zQx\', @b = "zQx", SESSION c = zQx',
  "LOAD DATA LOCAL INFILE 'zQx' INTO TABLE t FIELDS TERMINATED BY 'zQx'",
  "INSERT INTO t SET a = 'zQx'",
  "INSERT INTO t VALUES ('zQx') ON DUPLICATE KEY UPDATE a = 'zQx'",
  "SELECT * FROM t WHERE MATCH (a) AGAINST ('zQx' IN BOOLEAN MODE)",
  "SELECT a->'$.zQx', JSON_EXTRACT(a, '$.zQx') FROM t",
  "PREPARE s FROM 'SELECT zQx'",
  'SELECT "never ends zQx',
];

/** With the mode `NO_BACKSLASH_ESCAPES`, a backslash is a character like any other. */
const OF_MYSQL_WITHOUT_ESCAPES: readonly string[] = [
  "SELECT * FROM t WHERE a = 'C:\\' AND b = 'zQx'",
  "INSERT INTO t VALUES ('C:\\', 'zQx'), ('zQx', 'D:\\')",
  'INSERT INTO t VALUES ("C:\\", "zQx")',
  'INSERT INTO t VALUES (\'C:\\\', "zQx")',
  "INSERT INTO t VALUES ('a\\', \"it's zQx\\\", 'zQx')",
  "SELECT 'C:\\''zQx', 'zQx'",
];

const OF_SQLITE: readonly string[] = [
  "SELECT x'zQx', 'it''s zQx'",
  'PRAGMA key = "zQx"',
  "PRAGMA key = 'zQx'",
  'PRAGMA key = zQx',
  'PRAGMA key(zQx)',
  'PRAGMA main.key("zQx")',
  'PRAGMA key = [zQx]',
  'PRAGMA key = `zQx`',
  'ATTACH DATABASE "zQx" AS b KEY "zQx"',
  'ATTACH "zQx" AS b KEY ("zQx")',
  'VACUUM INTO "zQx"',
  'SELECT * FROM t WHERE a GLOB "zQx" AND b MATCH "zQx" AND c REGEXP "zQx"',
  'SELECT json_extract(a, "$.zQx"), a -> "zQx", a ->> "zQx" FROM t',
  'CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT RAISE(ABORT, "zQx"); END',
  'SELECT * FROM t LIMIT "zQx" OFFSET "zQx"',
  'SELECT a, sum(b) OVER (PARTITION BY c ORDER BY d ROWS "zQx" PRECEDING) FROM t',
  'SELECT * FROM t WHERE a = "t"."b" || "zQx"',
  'SELECT 1 -- a\rzQx\n',
  'SELECT "never ends zQx',
];

const OF_SQL_SERVER: readonly string[] = [
  "SELECT N'zQx', N'it''s zQx'",
  'EXEC p zQx, zQx, [zQx], "zQx"',
  "EXEC p 'x', zQx",
  "SELECT 1 EXEC p 'x', zQx",
  'DECLARE @a int = 1\nEXEC dbo.p @a, zQx\nSELECT 2',
  "IF 1 = 1 EXEC p 'x', zQx ELSE EXECUTE p zQx",
  'BEGIN TRAN EXEC @r = [dbo].[p] @a = zQx, @b = "zQx" COMMIT',
  'INSERT INTO t EXEC p zQx',
  "SELECT a FROM t; EXEC p N'x', zQx",
  "sp_addlogin zQx, 'zQx'",
  'dbo.sp_addlogin zQx',
  '[dbo].[sp_addlogin] zQx, [zQx]',
  'EXEC p al#zQx, al@zQx',
  "EXECUTE ('SELECT zQx')",
  "EXEC sp_executesql N'SELECT * FROM t WHERE a = ''zQx''', N'@a int', @a = zQx",
  "CREATE LOGIN bob WITH PASSWORD = N'zQx', CHECK_POLICY = OFF",
  "ALTER LOGIN bob WITH PASSWORD = 'zQx' OLD_PASSWORD = 'zQx'",
  'CREATE LOGIN bob WITH PASSWORD = 0xzQx HASHED',
  "OPEN SYMMETRIC KEY k DECRYPTION BY PASSWORD = 'zQx'",
  "CREATE CREDENTIAL c WITH IDENTITY = 'zQx', SECRET = 'zQx'",
  "SELECT * FROM OPENROWSET('SQLNCLI', 'Server=a;Pwd=zQx', 'SELECT zQx')",
  "SELECT * FROM OPENQUERY(s, 'SELECT zQx')",
  'PRINT \'zQx\' PRINT "zQx"',
  'RAISERROR (\'zQx\', 16, 1) RAISERROR ("zQx", 16, 1)',
  "THROW 51000, 'zQx', 1",
  'SET QUOTED_IDENTIFIER OFF SELECT * FROM t WHERE a = "it\'s zQx" OR f("zQx") = 1',
  'SELECT * FROM t WHERE a = 0xAB\\\nzQx',
  'SELECT * FROM t WHERE a = €zQx',
  "EXECUTE AS USER = 'zQx'",
  "BACKUP DATABASE d TO DISK = 'zQx' WITH PASSWORD = 'zQx'",
  "SELECT * FROM t FOR SYSTEM_TIME AS OF 'zQx'",
  "SELECT {ts 'zQx'}, {d'zQx'}",
  "WAITFOR DELAY 'zQx'",
  'EXEC\u00a0p\u00a0zQx',
];

const OF_ORACLE: readonly string[] = [
  "SELECT q'[it's zQx]', Q'!it's zQx!', nq'{zQx}', q'(zQx)', q'<zQx>', q'azQxa' FROM dual",
  "SELECT q'[never ends zQx' FROM t",
  "SELECT N'zQx', DATE 'zQx', TIMESTAMP'zQx', INTERVAL 'zQx' DAY FROM dual",
  'CREATE USER bob IDENTIFIED BY zQx',
  'CREATE USER bob IDENTIFIED BY "zQx"',
  'CREATE USER bob IDENTIFIED BY a#zQx',
  "CREATE USER bob IDENTIFIED BY VALUES 'zQx'",
  'ALTER USER bob IDENTIFIED BY zQx REPLACE zQx',
  'GRANT CONNECT TO a, b IDENTIFIED BY p1, zQx',
  "CREATE DATABASE LINK l CONNECT TO a IDENTIFIED BY zQx USING 'zQx'",
  'CREATE SHARED DATABASE LINK l CONNECT TO a IDENTIFIED BY p AUTHENTICATED BY b IDENTIFIED BY zQx',
  'SET ROLE r IDENTIFIED BY zQx',
  'ADMINISTER KEY MANAGEMENT SET KEYSTORE OPEN IDENTIFIED BY zQx',
  'ALTER SYSTEM SET ENCRYPTION KEY IDENTIFIED BY "zQx"',
  'ALTER SESSION SET nls_language = zQx',
  "BEGIN p('zQx'); END;",
  "EXECUTE IMMEDIATE 'SELECT zQx'",
  'SELECT /*+ zQx */ 1 FROM dual -- zQx',
];

/** The marks of a string in each dialect. */
const dialects: readonly (readonly [
  name: string,
  dialect: SqlDialect,
  marks: readonly string[],
  own: readonly string[],
])[] = [
  ['PostgreSQL', POSTGRESQL, ["'zQx'", "E'zQx\\''", '$$zQx$$', "U&'zQx'"], [...OF_POSTGRES, ...OF_OLD_POSTGRES]],
  ['MySQL', MYSQL, ["'zQx'", '"zQx"', "'a\\'zQx'"], [...OF_MYSQL, ...OF_MYSQL_WITHOUT_ESCAPES]],
  ['SQLite', SQLITE, ["'zQx'", '"zQx"', "x'zQx'"], OF_SQLITE],
  ['SQL Server', SQL_SERVER, ["'zQx'", '"zQx"', "N'zQx'"], OF_SQL_SERVER],
  ['Oracle', ORACLE, ["'zQx'", "q'[zQx]'", "N'zQx'"], OF_ORACLE],
];

/** Where a column is usual, double quotes are read as those of a name: the databases do so, if there is such a column. */
const READ_AS_NAME = new Set(['SELECT %, %, a FROM t', '/* a */ SELECT /* b */ % -- c\n, % FROM t']);

describe.each(dialects)('a secret in a statement of %s', (_, dialect, marks, own) => {
  const inPlaces = marks.flatMap((mark) =>
    PLACES.filter((place) => !(mark === '"zQx"' && dialect !== MYSQL && READ_AS_NAME.has(place))).map((place) =>
      place.replaceAll('%', () => mark),
    ),
  );

  it.each([...inPlaces, ...own])('%s', (sql) => {
    const { summary, text } = scanStatement(sql, dialect);
    expect(`${text} ${summary}`).not.toContain(SECRET);
    expect(text).toContain('?');
  });

  it('is not shown where the statement is cut off, either', () => {
    const cut = [...inPlaces, ...own].flatMap((sql) => Array.from(sql, (_character, length) => sql.slice(0, length)));
    const shown = cut.filter((sql) => {
      const { summary, text } = scanStatement(sql, dialect, true);
      return `${text} ${summary}`.includes(SECRET);
    });
    expect(cut.length).toBeGreaterThan(1000);
    expect(shown).toEqual([]);
  });
});

describe('names in double quotes', () => {
  it.each([
    'select "id", "name" from "users" where "id" = ? and "age" > 18 order by "name" desc limit ?',
    'select "u"."id" as "n", count(*) "c" from "users" "u" left join "pets" as "p" on "p"."owner" = "u"."id" group by "kind"',
    'select distinct "name" from "users" where "kind" in (?, ?) and "deleted" is null or "name" like ?',
    'insert into "users" ("id", "name") values (?, ?) returning "id", "name"',
    'INSERT INTO "users"("id", "name") VALUES (NULL, ?) ON CONFLICT ("id") DO UPDATE SET "name" = excluded."name"',
    'update "users" set "name" = ?, "age" = "users"."age" where "id" = :id',
    'delete from "users" where "id" = @id and ("kind" = ? or "kind" is not null)',
    'create table if not exists "users" ("id" integer primary key, "name" text not null)',
    'create index "i" on "users" ("id", "name")',
    'with "x" ("id") as (select "id" from "users") select * from "x" join "pets" using ("id")',
    'select "id" from ("users" join "pets" on "users"."id" = "pets"."owner")',
    'alter table "users" add column "age" integer',
    'drop table if exists "users"',
  ])('are kept: %s', (sql) => {
    for (const dialect of [SQLITE, SQL_SERVER])
      expect(scanStatement(sql, dialect).text).toBe(sql.replace('18', '?').replace('(?, ?) and', '(?) and'));
  });
});

describe('backslashes', () => {
  it('are read as the server does by default, if both readings are possible for the driver', () => {
    const sql = "INSERT INTO t VALUES ('it\\'s', 5), ('C:\\\\', 'that\\'s')";
    expect(scanStatement(sql, MYSQL).text).toBe('INSERT INTO t VALUES (?, ?), (?, ?)');
    expect(scanStatement("SELECT 'C:\\', 'x' FROM t", POSTGRESQL).text).toBe('SELECT ?, ? FROM t');
  });

  it('hide the rest of a statement where nothing decides between the readings', () => {
    expect(scanStatement("SELECT a FROM t WHERE b = 'it\\'s ' or c", MYSQL).text).toMatch(
      /^SELECT a FROM t WHERE b = \?/,
    );
    const long = `SELECT a FROM t WHERE b IN ('it\\'s', ${"'x', ".repeat(10_000)}`;
    expect(readStatement(long, MYSQL).text).toBe('SELECT a FROM t WHERE b IN (?');
  });

  /** A string as an application writes it by hand, for a server with the one or the other setting. */
  const content = fc.array(fc.constantFrom(SECRET, '\\', "'", '"', ' ', ',', ')', 'a', '\\\\'), { maxLength: 6 });
  const withEscapes = content.map(
    (parts) => `'${parts.join('').replaceAll('\\', '\\\\').replaceAll("'", "\\'")}${SECRET}'`,
  );
  const withoutEscapes = content.map((parts) => `'${parts.join('').replaceAll("'", "''")}${SECRET}'`);
  const list = (literal: fc.Arbitrary<string>) =>
    fc.array(literal, { minLength: 1, maxLength: 5 }).map((all) => `INSERT INTO t VALUES (${all.join(', ')}, a)`);

  it.each([
    ['MySQL', MYSQL],
    ['PostgreSQL', POSTGRESQL],
  ])('show nothing of the strings of %s with either setting', (_, dialect) => {
    fc.assert(
      fc.property(fc.oneof(list(withEscapes), list(withoutEscapes)), (sql) => {
        const { summary, text } = scanStatement(sql, dialect);
        expect(`${text} ${summary}`).not.toContain(SECRET);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('a long statement with double quotes', () => {
  const units = [
    '"a", ',
    'SELECT "a", ',
    '"a" = "b" ',
    '("a", ',
    'SELECT "a" [',
    '"a" IN (',
    'SELECT "a" (',
    '"a"\t\t',
    'SELECT "a" \'',
    'x "a" ',
  ];

  it.each(units)('of %j is read in bounded time', (unit) => {
    const sql = unit.repeat(Math.ceil(32_768 / unit.length));
    for (const dialect of [SQLITE, SQL_SERVER]) {
      const startedAt = process.cpuUsage();
      expect(readStatement(`${sql} "zQx'`, dialect).text).not.toContain(SECRET);
      expect(process.cpuUsage(startedAt).user).toBeLessThan(250_000);
    }
  });
});
