import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { reportQuerySpan } from '../../core/query-span-watch.js';
import type { DatabaseTarget } from '../database-query.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { sqlite } from '../sql/systems.js';
import { targetOf, type SqliteDatabase } from './database.js';

/** Starts a query with the parameters of a call. Undefined if nothing is traced. */
export type Start = (text: unknown, parameters?: unknown) => StartedQuery | undefined;

/** Returns a function that starts the queries of a database. The database is undefined if a statement does not show it. */
export function startFor(database: SqliteDatabase | undefined, settings: CurrentSettings): Start {
  let target: DatabaseTarget | undefined;
  return (text, parameters) =>
    callSafely('Tracing a query of SQLite', () => {
      const current = settings();
      if (!current) return undefined;
      reportQuerySpan();
      // A database may be opened later than it is found.
      target ??= database ? targetOf(database) : { system: sqlite };
      const described = { ...target, text: typeof text === 'string' ? text : undefined, parameters };
      return startQuery(described, current, { caller: activeContext() });
    });
}
