/** Statements as drivers and ORMs send them, without their literals and with their summaries. */
import { describe, expect, it } from '@jest/globals';
import { MYSQL, ORACLE, POSTGRESQL, SQL_SERVER, SQLITE, type SqlDialect } from '../../../lib/data/sql/dialect.js';
import { scanStatement } from '../../../lib/data/sql/scan-statement.js';

type Row = readonly [sql: string, text: string, summary: string];

const ofEveryDialect: readonly Row[] = [
  ['', '', ''],
  ['SELECT 1', 'SELECT ?', 'SELECT'],
  ['select * from users where id = 42', 'select * from users where id = ?', 'select users'],
  [
    "SELECT * FROM wuser_table WHERE username = 'mitch'",
    'SELECT * FROM wuser_table WHERE username = ?',
    'SELECT wuser_table',
  ],
  [
    "INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = '1'",
    'INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = ?',
    'INSERT shipping_details SELECT orders',
  ],
  [
    'SELECT * FROM songs, artists WHERE songs.artist_id = artists.id',
    'SELECT * FROM songs, artists WHERE songs.artist_id = artists.id',
    'SELECT songs artists',
  ],
  [
    'SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.id) x',
    'SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.id) x',
    'SELECT SELECT orders customers',
  ],
  [
    "UPDATE shop.stock SET count = count - 1, note = 'it''s gone' WHERE id IN (1, 2, 3)",
    'UPDATE shop.stock SET count = count - ?, note = ? WHERE id IN (?)',
    'UPDATE shop.stock',
  ],
  [
    'DELETE FROM carts WHERE age > 1.5e-3 AND x = .5 AND y = -7',
    'DELETE FROM carts WHERE age > ? AND x = ? AND y = -?',
    'DELETE carts',
  ],
  ['SELECT a1, b2c FROM t3 WHERE x=0x1F', 'SELECT a1, b2c FROM t3 WHERE x=?', 'SELECT t3'],
  ['SELECT 1 -- the secret\n FROM t', 'SELECT ? \n FROM t', 'SELECT t'],
  ['/* route: secret */ SELECT a/* b */FROM t', 'SELECT a FROM t', 'SELECT t'],
  ["SELECT 'never ends FROM t", 'SELECT ?', 'SELECT'],
  ['SELECT 1 /* never ends FROM t', 'SELECT ?', 'SELECT'],
  [
    'SELECT * FROM flags WHERE a = TRUE AND b IS NOT TRUE AND c = false',
    'SELECT * FROM flags WHERE a = ? AND b IS NOT TRUE AND c = ?',
    'SELECT flags',
  ],
  ['BEGIN', 'BEGIN', 'BEGIN'],
  ['START TRANSACTION', 'START TRANSACTION', 'START TRANSACTION'],
  ['ROLLBACK TO SAVEPOINT typeorm_1', 'ROLLBACK TO SAVEPOINT typeorm_1', 'ROLLBACK'],
  ['SELECT EXTRACT(year FROM created) FROM orders', 'SELECT EXTRACT(year FROM created) FROM orders', 'SELECT orders'],
  ['SELECT a IS DISTINCT FROM b FROM t', 'SELECT a IS DISTINCT FROM b FROM t', 'SELECT t'],
  ['SELECT * FROM orders FOR UPDATE', 'SELECT * FROM orders FOR UPDATE', 'SELECT orders'],
  ['SELECT * FROM a UNION ALL SELECT * FROM b', 'SELECT * FROM a UNION ALL SELECT * FROM b', 'SELECT a SELECT b'],
  [
    'SELECT * FROM a WHERE id IN (SELECT a_id FROM b WHERE c = 3)',
    'SELECT * FROM a WHERE id IN (SELECT a_id FROM b WHERE c = ?)',
    'SELECT a SELECT b',
  ],
  [
    "SELECT * FROM a WHERE b IN ('x', 'y') AND c IN (1) AND d NOT IN (-1, +2)",
    'SELECT * FROM a WHERE b IN (?) AND c IN (?) AND d NOT IN (?)',
    'SELECT a',
  ],
  ['SELECT * FROM a WHERE b IN (lower(c), 5)', 'SELECT * FROM a WHERE b IN (lower(c), ?)', 'SELECT a'],
  [
    'WITH recent AS (SELECT * FROM orders WHERE age < 3), top (id) AS (SELECT id FROM recent) SELECT * FROM top JOIN users ON true',
    'WITH recent AS (SELECT * FROM orders WHERE age < ?), top (id) AS (SELECT id FROM recent) SELECT * FROM top JOIN users ON ?',
    'SELECT orders SELECT SELECT users',
  ],
  [
    'CREATE TABLE IF NOT EXISTS users (id int, name varchar(255))',
    'CREATE TABLE IF NOT EXISTS users (id int, name varchar(?))',
    'CREATE TABLE users',
  ],
  ["CREATE SERVER s OPTIONS (PASSWORD 'x')", 'CREATE SERVER s OPTIONS (PASSWORD ?)', 'CREATE'],
  ["ALTER SYSTEM SET a = 'x'; SELECT 1", 'ALTER SYSTEM SET a = ?; SELECT ?', 'ALTER SELECT'],
  ['CREATE UNIQUE INDEX i ON users (name)', 'CREATE UNIQUE INDEX i ON users (name)', 'CREATE INDEX i'],
  [
    'ALTER TABLE users ADD COLUMN age int DEFAULT 18',
    'ALTER TABLE users ADD COLUMN age int DEFAULT ?',
    'ALTER TABLE users',
  ],
  ['DROP TABLE IF EXISTS a.b', 'DROP TABLE IF EXISTS a.b', 'DROP TABLE a.b'],
  ['TRUNCATE TABLE logs', 'TRUNCATE TABLE logs', 'TRUNCATE logs'],
  ['SELECT * FROM generate_series(1, 3) g', 'SELECT * FROM generate_series(?, ?) g', 'SELECT'],
  ['INSERT INTO t(a) VALUES (1)', 'INSERT INTO t(a) VALUES (?)', 'INSERT t'],
  ['CALL reorder(5)', 'CALL reorder(?)', 'CALL reorder'],
  ['EXPLAIN SELECT * FROM t', 'EXPLAIN SELECT * FROM t', 'EXPLAIN SELECT t'],
  ['SELECT 1; DELETE FROM t', 'SELECT ?; DELETE FROM t', 'SELECT DELETE t'],
  [
    'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = 1',
    'MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN UPDATE SET a = ?',
    'MERGE t s',
  ],
  ['SELECT * FROM größen WHERE Ä = 1', 'SELECT * FROM größen WHERE Ä = ?', 'SELECT größen'],
  ['SELECT (((((1)))))', 'SELECT (((((?)))))', 'SELECT'],
  [')) SELECT 5', ')) SELECT ?', 'SELECT'],
  ['SELECT * FROM (a JOIN b ON a.x = b.x)', 'SELECT * FROM (a JOIN b ON a.x = b.x)', 'SELECT a b'],
];

const ofPostgres: readonly Row[] = [
  [
    'SELECT "users"."id" FROM "public"."users" WHERE "id" = $1 LIMIT 10',
    'SELECT "users"."id" FROM "public"."users" WHERE "id" = $1 LIMIT ?',
    'SELECT public.users',
  ],
  ['SELECT * FROM "order lines"', 'SELECT * FROM "order lines"', 'SELECT "order lines"'],
  ['SELECT * FROM "say ""hi"""', 'SELECT * FROM "say ""hi"""', 'SELECT "say ""hi"""'],
  ['SELECT "never ends FROM t', 'SELECT ?', 'SELECT'],
  ["SELECT E'it\\'s secret', 'C:\\', 'x'", 'SELECT ?, ?, ?', 'SELECT'],
  ["SELECT E'a\\'b'\n  'c\\'secret' FROM t", 'SELECT ? FROM t', 'SELECT t'],
  ['SELECT $$secret$$, $a$ $$ $b$ secret $a$ FROM t', 'SELECT ?, ? FROM t', 'SELECT t'],
  ['SELECT $a$ never ends $$ FROM t', 'SELECT ?', 'SELECT'],
  ['SELECT U&\'d\\0061t\\+000061\', U&"d\\0061" FROM t', 'SELECT ?, U&"d\\0061" FROM t', 'SELECT t'],
  ["SELECT B'101', x'1F', N'n' FROM t", 'SELECT ?, ?, ? FROM t', 'SELECT t'],
  ["SELECT '1'::int, $1::text[], now()::date FROM t", 'SELECT ?::int, $1::text[], now()::date FROM t', 'SELECT t'],
  ["SELECT date '2020-01-01' + interval'1 day'", 'SELECT date ? + interval?', 'SELECT'],
  [
    "SELECT data->>'name', data#>>'{a,b}', a[1:2] FROM t WHERE data ? 'x' AND tags @> ARRAY[1,2]",
    'SELECT data->>?, data#>>?, a[?:?] FROM t WHERE data ? ? AND tags @> ARRAY[?,?]',
    'SELECT t',
  ],
  ['SELECT 1 /* outer /* inner */ secret */ FROM t', 'SELECT ? FROM t', 'SELECT t'],
  ['SELECT 1_000_000, 0b101, 0o17 FROM t', 'SELECT ?, ?, ? FROM t', 'SELECT t'],
  ['SELECT foo$bar FROM t$1 WHERE x IN ($1, $2)', 'SELECT foo$bar FROM t$1 WHERE x IN ($1, $2)', 'SELECT t$1'],
  [
    "INSERT INTO users (name) VALUES ('a'), ('b') ON CONFLICT (name) DO UPDATE SET name = 'c' RETURNING id",
    'INSERT INTO users (name) VALUES (?), (?) ON CONFLICT (name) DO UPDATE SET name = ? RETURNING id',
    'INSERT users',
  ],
  ['DELETE FROM a USING b WHERE a.id = b.id', 'DELETE FROM a USING b WHERE a.id = b.id', 'DELETE a b'],
  ['UPDATE a SET x = b.x FROM b WHERE a.id = b.id', 'UPDATE a SET x = b.x FROM b WHERE a.id = b.id', 'UPDATE a b'],
  ["COPY users FROM STDIN WITH (DELIMITER ',')", 'COPY users FROM STDIN WITH (DELIMITER ?)', 'COPY users'],
  ['LISTEN orders', 'LISTEN orders', 'LISTEN'],
  ["SET search_path TO 'tenant_7'", 'SET search_path TO ?', 'SET'],
  ["DO $do$ BEGIN PERFORM 'secret'; END $do$", 'DO ?', 'DO'],
  [
    'SELECT * FROM ROWS FROM (f(1)) AS r, LATERAL (SELECT * FROM x) y',
    'SELECT * FROM ROWS FROM (f(?)) AS r, LATERAL (SELECT * FROM x) y',
    'SELECT ROWS SELECT x',
  ],
  ['DECLARE c CURSOR FOR SELECT * FROM big', 'DECLARE c CURSOR FOR SELECT * FROM big', 'DECLARE SELECT big'],
  [
    'SELECT "t0"."id" FROM "public"."User" AS "t0" WHERE ("t0"."email" = $1 AND 1=1) LIMIT $2 OFFSET $3',
    'SELECT "t0"."id" FROM "public"."User" AS "t0" WHERE ("t0"."email" = $1 AND ?=?) LIMIT $2 OFFSET $3',
    'SELECT public.User',
  ],
  [
    "ALTER ROLE bob WITH PASSWORD 'secret' VALID UNTIL 'x'",
    'ALTER ROLE bob WITH PASSWORD ? VALID UNTIL ?',
    'ALTER ROLE bob',
  ],
  ['COPY t (a, b) FROM stdin;\nsecret\t5\n\\.\n', 'COPY t (a, b) FROM stdin;?', 'COPY t'],
  ['COPY t FROM STDIN; ', 'COPY t FROM STDIN;', 'COPY t'],
  ['SET app.user = alice; SELECT a FROM b', 'SET app.user = ?; SELECT a FROM b', 'SET SELECT b'],
  ['SET search_path TO tenant', 'SET search_path TO ?', 'SET'],
  ['SET TIME ZONE LOCAL', 'SET TIME ZONE LOCAL', 'SET'],
  ['UPDATE t SET a = b', 'UPDATE t SET a = b', 'UPDATE t'],
];

const ofMysql: readonly Row[] = [
  [
    "SELECT * FROM `users` WHERE `name` = \"bob\" AND x = 'a\\'b'",
    'SELECT * FROM `users` WHERE `name` = ? AND x = ?',
    'SELECT users',
  ],
  ["SELECT 'a\\\\', 'secret'", 'SELECT ?, ?', 'SELECT'],
  ['SELECT "it\'s \\" secret" FROM t', 'SELECT ? FROM t', 'SELECT t'],
  ['SELECT 1 # secret\nFROM t', 'SELECT ? \nFROM t', 'SELECT t'],
  ["SELECT 5--1, 'x' FROM t", 'SELECT ?--?, ? FROM t', 'SELECT t'],
  ['SELECT 5 -- secret', 'SELECT ?', 'SELECT'],
  ["SELECT /*!50001 'se*/cret', */ 1 FROM t", 'SELECT ?, ? FROM t', 'SELECT t'],
  ['SELECT /*+ NO_MERGE(secret) */ 2*/* c */3 FROM t', 'SELECT ?* ? FROM t', 'SELECT t'],
  ["SELECT x'4D', X'4d', 0xFF, b'01', _utf8mb4'secret', N'n'", 'SELECT ?, ?, ?, ?, _utf8mb4?, ?', 'SELECT'],
  ['SELECT @a, @@session.sql_mode, @`b c` FROM t', 'SELECT @a, @@session.sql_mode, @`b c` FROM t', 'SELECT t'],
  ['SELECT * FROM t WHERE id = ? AND b IN (?, ?)', 'SELECT * FROM t WHERE id = ? AND b IN (?)', 'SELECT t'],
  [
    'INSERT INTO `a`.`b` VALUES (1) ON DUPLICATE KEY UPDATE c = 2',
    'INSERT INTO `a`.`b` VALUES (?) ON DUPLICATE KEY UPDATE c = ?',
    'INSERT a.b',
  ],
  ['REPLACE INTO t VALUES (1)', 'REPLACE INTO t VALUES (?)', 'REPLACE t'],
  ["CREATE USER 'bob'@'%' IDENTIFIED BY 'secret'", 'CREATE USER ?@? IDENTIFIED BY ?', 'CREATE USER'],
  ['SELECT `never ends', 'SELECT ?', 'SELECT'],
  ['SELECT 1 /*! never ends', 'SELECT ? never ends', 'SELECT'],
  ['UPDATE a JOIN b ON a.id = b.id SET a.x = 1', 'UPDATE a JOIN b ON a.id = b.id SET a.x = ?', 'UPDATE a b'],
  ['DELETE a FROM a JOIN b USING (id)', 'DELETE a FROM a JOIN b USING (id)', 'DELETE a a b'],
  ["SET @secret := 'x', SESSION sql_mode = 'ANSI'", 'SET @secret := ?, SESSION sql_mode = ?', 'SET'],
  ['SHOW TABLES', 'SHOW TABLES', 'SHOW'],
  [
    'UPDATE a SET b = 1; UPDATE a SET b = 2;UPDATE a SET b = 3; UPDATE c SET b = 1',
    'UPDATE a SET b = ?; UPDATE a SET b = ?;UPDATE a SET b = ?; UPDATE c SET b = ?',
    'UPDATE a UPDATE c',
  ],
  ['SET autocommit = off, @a = 1', 'SET autocommit = ?, @a = ?', 'SET'],
  [
    "ALTER USER u IDENTIFIED WITH x BY 'a' REPLACE 'b'",
    'ALTER USER u IDENTIFIED WITH x BY ? REPLACE ?',
    'ALTER USER u',
  ],
];

const ofSqlServer: readonly Row[] = [
  [
    "SELECT [u].[name] FROM [dbo].[Users] AS [u] WHERE [u].[id] = @0 AND x = N'secret'",
    'SELECT [u].[name] FROM [dbo].[Users] AS [u] WHERE [u].[id] = @0 AND x = ?',
    'SELECT dbo.Users',
  ],
  ['SELECT * FROM [a]]b c] WHERE x = @p1', 'SELECT * FROM [a]]b c] WHERE x = @p1', 'SELECT [a]]b c]'],
  ["EXEC sp_who @name = N'secret'", 'EXEC sp_who @name = ?', 'EXEC sp_who'],
  [
    'SELECT TOP (5) * FROM t WITH (NOLOCK) CROSS APPLY f(t.x)',
    'SELECT TOP (?) * FROM t WITH (NOLOCK) CROSS APPLY f(t.x)',
    'SELECT t',
  ],
  ['SELECT @@VERSION', 'SELECT @@VERSION', 'SELECT'],
  ['EXEC dbo.sp_addlogin alice, secret, [x y]', 'EXEC dbo.sp_addlogin ?, ?, ?', 'EXEC dbo.sp_addlogin'],
  ['EXEC @r = [dbo].[charge] @id, "secret", @out OUTPUT', 'EXEC @r = [dbo].[charge] @id, ?, @out OUTPUT', 'EXEC'],
  ['SELECT * FROM t WHERE "a" = "secret"', 'SELECT * FROM t WHERE "a" = ?', 'SELECT t'],
  ["INSERT INTO t (a) OUTPUT INSERTED.id VALUES ('x')", 'INSERT INTO t (a) OUTPUT INSERTED.id VALUES (?)', 'INSERT t'],
  ['SELECT [never ends', 'SELECT ?', 'SELECT'],
  ['SELECT 1 /* a /* b */ secret */', 'SELECT ?', 'SELECT'],
];

const ofSqlite: readonly Row[] = [
  [
    'SELECT "id" FROM "user" WHERE `x` = :name AND y = @y AND z = $z AND w = ?1',
    'SELECT "id" FROM "user" WHERE `x` = :name AND y = @y AND z = $z AND w = ?1',
    'SELECT user',
  ],
  ['INSERT OR REPLACE INTO [t] VALUES (1, NULL)', 'INSERT OR REPLACE INTO [t] VALUES (?, NULL)', 'INSERT t'],
  ["PRAGMA key = 'secret'", 'PRAGMA key = ?', 'PRAGMA'],
  ['PRAGMA key = "secret"', 'PRAGMA key = ?', 'PRAGMA'],
  ['PRAGMA journal_mode = wal', 'PRAGMA journal_mode = ?', 'PRAGMA'],
  ['ATTACH DATABASE ? AS b KEY "secret"', 'ATTACH DATABASE ? AS b KEY ?', 'ATTACH'],
  [
    'SELECT "u"."a" AS "x" FROM "u" WHERE "u"."a" = "secret" AND b LIKE "s%" AND c IN ("s", \'t\')',
    'SELECT "u"."a" AS "x" FROM "u" WHERE "u"."a" = ? AND b LIKE ? AND c IN (?)',
    'SELECT u',
  ],
  [
    'INSERT INTO "t" ("a", "b") VALUES ("s", 1), ("t", ?) ON CONFLICT ("a") DO UPDATE SET "b" = excluded."b" RETURNING "a"',
    'INSERT INTO "t" ("a", "b") VALUES (?, ?), (?, ?) ON CONFLICT ("a") DO UPDATE SET "b" = excluded."b" RETURNING "a"',
    'INSERT t',
  ],
  [
    'SELECT * FROM "a" JOIN "b" ON "a"."id" = "b"."id"',
    'SELECT * FROM "a" JOIN "b" ON "a"."id" = "b"."id"',
    'SELECT a b',
  ],
  ["SELECT x'AB', 'it''s' FROM t", 'SELECT ?, ? FROM t', 'SELECT t'],
];

const ofOracle: readonly Row[] = [
  [
    "SELECT q'[it's secret]', Q'!it's!', nq'{a}' FROM dual WHERE id = :1 AND n = :name",
    'SELECT ?, ?, ? FROM dual WHERE id = :1 AND n = :name',
    'SELECT dual',
  ],
  ["SELECT q'[never ends' FROM t", 'SELECT ?', 'SELECT'],
  [
    "MERGE INTO a USING (SELECT 'x' FROM dual) s ON (a.id = s.id)",
    'MERGE INTO a USING (SELECT ? FROM dual) s ON (a.id = s.id)',
    'MERGE a SELECT dual',
  ],
  ["SELECT DATE '2020-01-01' FROM dual", 'SELECT DATE ? FROM dual', 'SELECT dual'],
  ['CREATE USER bob IDENTIFIED BY secret', 'CREATE USER bob IDENTIFIED BY ?', 'CREATE USER bob'],
  ['ALTER USER bob IDENTIFIED BY new REPLACE old', 'ALTER USER bob IDENTIFIED BY ? REPLACE ?', 'ALTER USER bob'],
  ['ALTER USER bob identified by "Secret"', 'ALTER USER bob identified by ?', 'ALTER USER bob'],
];

const dialects: readonly [string, SqlDialect, readonly Row[]][] = [
  ['PostgreSQL', POSTGRESQL, [...ofEveryDialect, ...ofPostgres]],
  ['MySQL', MYSQL, [...ofEveryDialect, ...ofMysql]],
  ['SQL Server', SQL_SERVER, [...ofEveryDialect, ...ofSqlServer]],
  ['SQLite', SQLITE, [...ofEveryDialect, ...ofSqlite]],
  ['Oracle', ORACLE, [...ofEveryDialect, ...ofOracle]],
];

describe.each(dialects)('a statement of %s', (_, dialect, rows) => {
  it.each(rows)('%s', (sql, text, summary) => {
    expect(scanStatement(sql, dialect)).toMatchObject({ text, summary });
  });
});
