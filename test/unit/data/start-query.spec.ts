import { describe, expect, it } from '@jest/globals';
import { context, ROOT_CONTEXT, SpanKind, trace, TraceFlags, type Context } from '@opentelemetry/api';
import { Operation } from '../../../lib/core/operation.js';
import { suppressTracing } from '../../../lib/core/suppression.js';
import type { DatabaseQuery } from '../../../lib/data/database-query.js';
import { coverQueries, isQueryCovered, uncoverQueries } from '../../../lib/data/layers.js';
import { OpenQueries } from '../../../lib/data/open-queries.js';
import type { QuerySettings } from '../../../lib/data/query-settings.js';
import { MYSQL } from '../../../lib/data/sql/dialect.js';
import { startQuery } from '../../../lib/data/start-query.js';
import type { DatabaseSystem } from '../../../lib/data/system.js';
import { recordSpans } from '../../support/recorded-spans.js';

const mysql: DatabaseSystem = {
  name: 'mysql',
  dialect: MYSQL,
  defaultPort: 3306,
  statusCodeOf: (error) => (error as { number?: string }).number,
};
const redis: DatabaseSystem = { name: 'redis', dialect: undefined, defaultPort: 6379, statusCodeOf: () => undefined };

const settings: QuerySettings = {
  queryText: true,
  maxQueryTextLength: 2048,
  parameters: false,
  ignore: undefined,
  rootSpans: false,
  meter: undefined,
  waitTime: undefined,
  open: new OpenQueries(),
};

const spans = recordSpans();
const select = (table = 'users'): DatabaseQuery => ({
  system: mysql,
  text: `SELECT * FROM ${table} WHERE a = 'secret'`,
});

/** Calls `work` in the context of a span, as a handler would be. */
function inRequest<T>(work: (caller: Context) => T): T {
  const operation = Operation.start('request');
  try {
    return operation.run(() => work(context.active()));
  } finally {
    operation.end();
  }
}

describe('startQuery()', () => {
  it.each<[string, DatabaseQuery, Record<string, unknown>]>([
    [
      'SELECT users',
      { system: mysql, text: "SELECT * FROM users WHERE a = 'b'", namespace: 'shop', address: 'db', port: 3306 },
      {
        'db.system.name': 'mysql',
        'db.namespace': 'shop',
        'db.query.summary': 'SELECT users',
        'db.query.text': 'SELECT * FROM users WHERE a = ?',
        'server.address': 'db',
      },
    ],
    [
      'shop',
      { system: mysql, text: '', namespace: 'shop' },
      { 'db.system.name': 'mysql', 'db.namespace': 'shop', 'db.query.text': '' },
    ],
    [
      'db:3307',
      { system: mysql, address: 'db', port: 3307 },
      { 'db.system.name': 'mysql', 'server.address': 'db', 'server.port': 3307 },
    ],
    ['mysql', { system: mysql }, { 'db.system.name': 'mysql' }],
    [
      'GET',
      { system: redis, operation: 'GET', namespace: '0', spanName: 'GET', text: 'GET secret' },
      { 'db.system.name': 'redis', 'db.operation.name': 'GET', 'db.namespace': '0' },
    ],
    [
      'find orders',
      { system: redis, operation: 'find', collection: 'orders', batchSize: 2 },
      {
        'db.system.name': 'redis',
        'db.operation.name': 'find',
        'db.collection.name': 'orders',
        'db.operation.batch.size': 2,
      },
    ],
    [
      'SELECT',
      { system: mysql, text: 'SELECT 1', waitTime: 0.5 },
      {
        'db.system.name': 'mysql',
        'db.query.summary': 'SELECT',
        'db.query.text': 'SELECT ?',
        'db.client.connection.wait_time': 0.5,
      },
    ],
  ])('names a query %s', (name, query, attributes) => {
    inRequest((caller) => startQuery(query, settings, { caller }).succeed());
    expect(spans.one(name).attributes).toEqual(attributes);
    expect(spans.path(spans.one(name))).toBe(`${name} < request`);
    expect(SpanKind[spans.one(name).kind]).toBe('CLIENT');
  });

  it('gives a failed query its code alone, whatever the error is', () => {
    const errors = [
      Object.assign(new Error('secret'), { number: '1062', code: 'ER_DUP' }),
      Object.assign(new TypeError('secret'), { code: 'ECONNRESET' }),
      Object.assign(new TypeError('secret'), { code: 'a secret, rather than a code' }),
      Object.defineProperty(new Error('secret'), 'number', {
        get() {
          throw new Error('secret');
        },
      }),
      'secret',
      null,
    ];
    inRequest((caller) => {
      for (const [index, error] of errors.entries()) startQuery(select(`t${index}`), settings, { caller }).fail(error);
    });
    const failed = errors.map((_, index) => spans.one(`SELECT t${index}`));
    expect(failed.map(({ attributes }) => attributes['error.type'])).toEqual([
      '1062',
      'ECONNRESET',
      'TypeError',
      'Error',
      'string',
      'null',
    ]);
    expect(failed.map(({ attributes }) => attributes['db.response.status_code'])[0]).toBe('1062');
    expect(failed.map(({ status }) => status)).toEqual(errors.map(() => ({ code: 2 })));
    expect(
      JSON.stringify(spans.all().map(({ attributes, events, status }) => [attributes, events, status])),
    ).not.toContain('secret');
  });

  it('withholds the message of an error from the spans around it, also if the query has no span', () => {
    const error = new Error("Duplicate entry 'secret'");
    inRequest((caller) => startQuery(select(), { ...settings, ignore: () => true }, { caller }).fail(error));
    const outer = Operation.start('outer');
    outer.fail(error);
    outer.end();
    expect(spans.names()).toEqual(['request', 'outer']);
    expect(JSON.stringify(spans.one('outer').events)).not.toContain('secret');
    expect(spans.one('outer').status.message).toBeUndefined();
  });

  it('ends once: the first outcome wins', () => {
    inRequest((caller) => {
      const query = startQuery(select(), settings, { caller });
      query.succeed();
      query.fail(new Error('late'));
      query.succeed();
    });
    expect(spans.one('SELECT users').attributes['error.type']).toBeUndefined();
  });

  it('gives an inner layer no span, until the outer query is over', () => {
    inRequest((caller) => {
      const outer = startQuery(select('outer'), settings, { caller });
      startQuery(select('inner'), settings, { caller: outer.context }).succeed();
      startQuery(select('sibling'), settings, { caller }).succeed();
      outer.succeed();
      startQuery(select('later'), settings, { caller: outer.context }).succeed();
    });
    expect(spans.names()).toEqual(['SELECT sibling', 'SELECT outer', 'SELECT later', 'request']);
  });

  it('gives a query none within an open client span of another instrumentation that names a database', () => {
    const start = (name: string, kind: SpanKind, attributes: Record<string, string>) =>
      trace.getTracer('other').startSpan(name, { kind, attributes });
    const others = [
      start('new', SpanKind.CLIENT, { 'db.system.name': 'mysql' }),
      start('old', SpanKind.CLIENT, { 'db.system': 'mysql' }),
      start('no database', SpanKind.CLIENT, {}),
      start('no client', SpanKind.INTERNAL, { 'db.system.name': 'mysql' }),
      start('over', SpanKind.CLIENT, { 'db.system.name': 'mysql' }),
    ];
    others.at(-1)!.end();
    for (const [index, other] of others.entries()) {
      startQuery(select(`t${index}`), settings, { caller: trace.setSpan(ROOT_CONTEXT, other) }).succeed();
    }
    expect(spans.names()).toEqual(['over', 'SELECT t2', 'SELECT t3', 'SELECT t4']);
  });

  it('gives a query no span where another instrumentation has one for it', () => {
    inRequest((caller) => startQuery(select(), settings, { caller, isTracedElsewhere: true }).succeed());
    expect(spans.names()).toEqual(['request']);
  });

  it.each<[string, Context]>([
    ['outside of any span', ROOT_CONTEXT],
    [
      'where tracing is suppressed',
      suppressTracing(
        trace.setSpanContext(ROOT_CONTEXT, {
          traceId: '1'.repeat(32),
          spanId: '2'.repeat(16),
          traceFlags: TraceFlags.SAMPLED,
        }),
      ),
    ],
  ])('gives a query none %s', (_, caller) => {
    startQuery(select(), settings, { caller }).succeed();
    expect(spans.names()).toEqual([]);
  });

  it('asks the application only about queries that would be traced, and survives what it throws', () => {
    const asked: unknown[] = [];
    const ignore = (query: object) => {
      asked.push(query);
      throw new Error('by the application');
    };
    startQuery(select(), { ...settings, ignore }, { caller: ROOT_CONTEXT }).succeed();
    inRequest((caller) => startQuery(select(), { ...settings, ignore }, { caller }).succeed());
    expect(asked).toEqual([
      { system: 'mysql', text: select().text, operation: undefined, collection: undefined, namespace: undefined },
    ]);
    expect(spans.names()).toEqual(['SELECT users', 'request']);
    expect(spans.diagnostics).toHaveLength(1);
  });

  it('records parameters only on request, and none that is not plain', () => {
    const hostile = {
      toString() {
        throw new Error('called');
      },
    };
    const parameters = [
      'a'.repeat(300),
      5,
      null,
      undefined,
      true,
      7n,
      Buffer.from('abc'),
      [1, 2],
      hostile,
      new Date(0),
      Symbol('s'),
    ];
    inRequest((caller) => {
      startQuery({ ...select('off'), parameters }, settings, { caller }).succeed();
      startQuery({ ...select('on'), parameters }, { ...settings, parameters: true }, { caller }).succeed();
      startQuery(
        { ...select('named'), parameters: { id: 5 } },
        { ...settings, parameters: true },
        { caller },
      ).succeed();
    });
    const parametersOf = (name: string) =>
      Object.entries(spans.one(name).attributes).filter(([key]) => key.startsWith('db.query.parameter.'));
    expect(parametersOf('SELECT off')).toEqual([]);
    expect(parametersOf('SELECT on').map(([, value]) => value)).toEqual([
      'a'.repeat(256),
      '5',
      'null',
      'undefined',
      'true',
      '7',
      '3 bytes',
      '2 values',
      'object',
      '1970-01-01T00:00:00.000Z',
      'Symbol(s)',
    ]);
    expect(parametersOf('SELECT named')).toEqual([['db.query.parameter.id', '5']]);
  });
});

describe('coverQueries()', () => {
  it('makes any span the only one of its query', () => {
    const span = trace.getTracer('test').startSpan('job');
    const caller = trace.setSpan(ROOT_CONTEXT, span);
    expect(isQueryCovered(caller)).toBe(false);
    coverQueries(span);
    expect(isQueryCovered(caller)).toBe(true);
    uncoverQueries(span);
    expect(isQueryCovered(caller)).toBe(false);
  });
});
