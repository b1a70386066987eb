import { TracingConfigurationError } from '../tracing.errors.js';
import { checkKeys } from './check-keys.js';
import { parseBoolean, parseInteger } from './parse.js';
import { compileAny, compileRegExp, compileWildcard } from './pattern.js';
import { readOption } from './setting.js';
import { groupIfOn, isOn, optionsIfOn } from './switch.js';
import type { BooleanOption, NumberOption } from './text-types.js';

/**
 * Queries: the whole text of a statement, a text with `*` for any characters, or a regular expression. For a library without statements,
 * the name of the command takes the place of the text. For Redis, either of `GET` and `GET user:?` may match.
 */
export type QueryPattern = string | RegExp;

/** The part of a query, command or operation that options can use. */
export interface OutgoingQuery {
  /** The system, such as `postgresql`, `mysql` or `redis`. */
  readonly system: string;
  /**
   * The text as the driver sends it, with all literals. For Redis the command with the pattern of its key, `GET user:?`. Undefined for a system
   * without statements, and for a command without a key.
   */
  readonly text: string | undefined;
  /** The name of the command or operation, such as `GET`. Undefined for SQL. */
  readonly operation: string | undefined;
  /** The name of the collection. Undefined for SQL. */
  readonly collection: string | undefined;
  /** The name of the database. */
  readonly namespace: string | undefined;
}

/** How queries are recorded. */
export interface QueryRecording {
  /**
   * True if the text of queries is recorded as `db.query.text`, with `?` for each literal. The summary is recorded in any case.
   * @default true
   */
  queryText?: BooleanOption | undefined;

  /**
   * Number of characters of the text of a query. Longer texts are cut.
   * @default 2048
   */
  maxQueryTextLength?: NumberOption | undefined;

  /**
   * True if the parameters of queries are recorded as `db.query.parameter.<key>`. They may hold personal data and secrets.
   * @default false
   */
  parameters?: BooleanOption | undefined;

  /**
   * Queries that are neither traced nor measured: statements, or a function of the query.
   * @default []
   */
  ignore?: QueryPattern | readonly QueryPattern[] | ((query: OutgoingQuery) => boolean) | undefined;

  /**
   * True if a query outside of any span starts a trace of its own. If not, it is only measured.
   * @default false
   */
  rootSpans?: BooleanOption | undefined;
}

/** How the jobs of a queue are recorded. The texts and parameters of queries do not exist there. */
export interface QueueRecording extends QueryRecording {
  /**
   * True if the processing of a job continues the trace of its producer. If not, it is a trace of its own, with a link to the producer.
   * @default false
   */
  continueTrace?: BooleanOption | undefined;
}

/** How databases, caches and queues are traced. */
export interface DataOptions extends QueryRecording {
  /**
   * PostgreSQL, with `pg` or PGlite. False if it is not traced, or options for PostgreSQL alone.
   * @default true
   */
  postgres?: BooleanOption | QueryRecording | undefined;

  /**
   * MySQL and MariaDB, with `mysql2`. False if they are not traced, or options for them alone.
   * @default true
   */
  mysql?: BooleanOption | QueryRecording | undefined;

  /**
   * SQL Server, with `mssql` or `tedious`. False if it is not traced, or options for it.
   * @default true
   */
  mssql?: BooleanOption | QueryRecording | undefined;

  /**
   * SQLite, with `better-sqlite3`, `node:sqlite` or `sqlite3`. False if it is not traced, or options for it.
   * @default true
   */
  sqlite?: BooleanOption | QueryRecording;

  /**
   * TypeORM, for the databases that have no option of their own. False if its `DataSource` is not looked at, or options for it.
   * @default true
   */
  typeorm?: BooleanOption | QueryRecording | undefined;

  /**
   * MongoDB, with `mongoose` or `mongodb`. False if it is not traced, or options for MongoDB alone.
   * @default true
   */
  mongodb?: BooleanOption | QueryRecording | undefined;

  /**
   * Sequelize, for all of its databases. False if it is not traced, or options for it.
   * @default true
   */
  sequelize?: BooleanOption | QueryRecording | undefined;

  /**
   * Knex over `pg`, `better-sqlite3`, `sqlite3`, `tedious` or `oracledb`. False if it is not traced, or options for it.
   * @default true
   */
  knex?: BooleanOption | QueryRecording | undefined;

  /**
   * Kysely, if its driver has no spans. False if it is not traced, or options for it.
   * @default true
   */
  kysely?: BooleanOption | QueryRecording;

  /**
   * MikroORM. False if its connections are not looked at, or options for version 7 and for MongoDB. For version 6, those of Knex or of the driver apply.
   * @default true
   */
  mikroOrm?: BooleanOption | QueryRecording | undefined;

  /**
   * Drizzle. False if its client is not looked at. The options of its driver apply.
   * @default true
   */
  drizzle?: BooleanOption | QueryRecording | undefined;

  /**
   * Prisma. False if it is not traced, or options for it.
   * @default true
   */
  prisma?: BooleanOption | QueryRecording | undefined;

  /**
   * Redis, with `ioredis` or `redis`. False if it is not traced, or options for Redis alone.
   * @default true
   */
  redis?: BooleanOption | QueryRecording | undefined;

  /**
   * The queues of BullMQ. False if they are not traced, or options for them alone.
   * @default true
   */
  bullmq?: BooleanOption | QueueRecording | undefined;

  /**
   * Caches of `cache-manager` that are in memory. False if they are not traced, or options for them alone.
   * @default true
   */
  cache?: BooleanOption | QueryRecording | undefined;
}

/** The names of the libraries' options. */
export type DataLibraryName = Exclude<keyof DataOptions, keyof QueryRecording>;

export interface ResolvedQueryRecording {
  readonly queryText: boolean;
  readonly maxQueryTextLength: number;
  readonly parameters: boolean;
  /** True if a query is not traced. It throws if the application's function throws. Undefined if every query is traced. */
  readonly ignore: ((query: OutgoingQuery) => boolean) | undefined;
  readonly rootSpans: boolean;
  /** Only for queues. */
  readonly continueTrace?: boolean;
}

/** How the queries of each library are recorded. A library that is not traced is missing. */
export type ResolvedData = Readonly<Partial<Record<DataLibraryName, ResolvedQueryRecording>>>;

const RECORDING: Readonly<Record<keyof QueryRecording, true>> = {
  queryText: true,
  maxQueryTextLength: true,
  parameters: true,
  ignore: true,
  rootSpans: true,
};

const LIBRARIES: Readonly<Record<DataLibraryName, true>> = {
  postgres: true,
  mysql: true,
  mssql: true,
  sqlite: true,
  typeorm: true,
  mongodb: true,
  sequelize: true,
  knex: true,
  kysely: true,
  mikroOrm: true,
  drizzle: true,
  prisma: true,
  redis: true,
  bullmq: true,
  cache: true,
};

const DEFAULTS: ResolvedQueryRecording = Object.freeze({
  queryText: true,
  maxQueryTextLength: 2048,
  parameters: false,
  ignore: undefined,
  rootSpans: false,
});

/** Resolves how databases are traced. Returns undefined if none is. */
export function resolveData(given: DataOptions | BooleanOption | undefined): ResolvedData | undefined {
  const options = groupIfOn<DataOptions>('data', given, { ...RECORDING, ...LIBRARIES });
  if (!options) return undefined;
  const common = resolveRecording('data', options, DEFAULTS);
  const resolved: Partial<Record<DataLibraryName, ResolvedQueryRecording>> = {};
  for (const library of Object.keys(LIBRARIES) as DataLibraryName[]) {
    const recording = resolveLibrary(`data.${library}`, options[library], common);
    if (recording) resolved[library] = recording;
  }
  return Object.freeze(resolved);
}

function resolveLibrary(
  path: string,
  given: QueueRecording | BooleanOption | undefined,
  common: ResolvedQueryRecording,
): ResolvedQueryRecording | undefined {
  const group = optionsIfOn(path, given);
  if (!group) return undefined;
  if (path !== 'data.bullmq') return resolveRecording(path, checkKeys<QueryRecording>(path, group, RECORDING), common);
  const options = checkKeys<QueueRecording>(path, group, { ...RECORDING, continueTrace: true });
  const continueTrace = readOption(`${path}.continueTrace`, options.continueTrace);
  const recording = resolveRecording(path, options, common);
  return continueTrace ? Object.freeze({ ...recording, continueTrace: parseBoolean(continueTrace) }) : recording;
}

/** @param inherited the values of the options that are left out */
function resolveRecording(
  path: string,
  options: Partial<QueryRecording>,
  inherited: ResolvedQueryRecording,
): ResolvedQueryRecording {
  const boolean = (key: 'parameters' | 'queryText' | 'rootSpans') =>
    isOn(`${path}.${key}`, options[key], inherited[key]);
  const length = readOption(`${path}.maxQueryTextLength`, options.maxQueryTextLength);
  return Object.freeze({
    queryText: boolean('queryText'),
    maxQueryTextLength: length ? parseInteger(length, 1) : inherited.maxQueryTextLength,
    parameters: boolean('parameters'),
    ignore: ignorePredicate(`${path}.ignore`, options.ignore) ?? inherited.ignore,
    rootSpans: boolean('rootSpans'),
  });
}

function ignorePredicate(option: string, given: QueryRecording['ignore']): ResolvedQueryRecording['ignore'] {
  if (given === undefined || typeof given === 'function') return given;
  const matches = compileAny(option, given, compileQueryPattern);
  return ({ operation = '', text }) => matches(text?.trim() ?? operation) || (text !== undefined && matches(operation));
}

function compileQueryPattern(option: string, pattern: unknown): (text: string) => boolean {
  if (pattern instanceof RegExp) return compileRegExp(pattern);
  if (typeof pattern === 'string' && pattern.trim()) return compileWildcard(pattern.trim());
  const fix = 'Write a statement, such as SELECT 1 or SET *, or a regular expression.';
  throw new TracingConfigurationError(option, pattern, fix);
}
