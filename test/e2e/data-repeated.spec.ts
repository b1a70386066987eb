/** Applications that come and go in one process, as in tests and with hot reload, leave nothing behind. */
import { channel, tracingChannel } from 'node:diagnostics_channel';
import { describe, expect, it } from '@jest/globals';
import { EventEmitter } from 'node:events';
import { query, runOf, withDataApp } from '../support/data-app.js';

const LIBRARIES = [
  'mysql2:query',
  'mysql2:pool:connect',
  'ioredis:command',
  'node-redis:batch',
  'mssql:query',
  'mongoose:query',
];
const EVENTS = ['start', 'asyncStart', 'error'];

const subscribed = () =>
  LIBRARIES.flatMap((name) => EVENTS.map((event) => `tracing:${name}:${event}`)).filter(
    (name) => channel(name).hasSubscribers,
  );

const listeners = () => process.eventNames().map((name) => [String(name), process.listenerCount(name)]);

/** A pool in the form of pg's, which a module of the application creates once for all of its starts. */
class Pool extends EventEmitter {
  readonly options = {};
  readonly totalCount = 0;
  readonly idleCount = 0;
  readonly waitingCount = 0;
  connect() {}
  query() {}
}

const command = () =>
  tracingChannel<object>('mssql:query').tracePromise(() => Promise.resolve(), { command: 'SELECT 1' });

const select = () => query('SELECT', { 'db.system.name': 'microsoft.sql_server' });

describe('applications that start and close', () => {
  it('leave no subscriber, no listener, and their pool as it was', async () => {
    const pool = new Pool();
    const own = Reflect.ownKeys(pool);
    const before = listeners();
    for (let i = 0; i < 20; i++) {
      await withDataApp({ providers: [{ provide: 'PG', useValue: pool }] }, async ({ run, traces }) => {
        expect(subscribed()).toHaveLength(LIBRARIES.length * EVENTS.length);
        expect(Reflect.ownKeys(pool)).not.toEqual(own);
        await run(command);
        await traces.expect(runOf(select()));
      });
      expect(subscribed()).toEqual([]);
    }
    expect(Reflect.ownKeys(pool)).toEqual(own);
    expect(pool.eventNames()).toEqual([]);
    expect(listeners()).toEqual(before);
  });

  it('do not end the spans of an application that lives on, and make none of their own', async () => {
    const providers = [{ provide: 'PG', useValue: new Pool() }];
    await withDataApp({ providers }, async (first) => {
      for (let i = 0; i < 3; i++) {
        await withDataApp({ providers }, async () => {
          await first.run(command);
          await first.traces.expect(runOf(select()));
        });
        await first.run(command);
        await first.traces.expect(runOf(select()));
      }
    });
    expect(subscribed()).toEqual([]);
  });
});
