import type { DatabaseTarget } from '../database-query.js';
import type { DataLibrary } from '../library.js';
import type { CurrentSettings } from '../query-settings.js';
import { instrumentExecutor } from './instrument-executor.js';
import { isKysely, systemOf, type Kysely } from './kysely.js';

/** Kysely, whose pool nothing reaches. Its own queries have spans unless its driver is traced. */
export const kyselyLibrary: DataLibrary = {
  name: 'kysely',
  instances: [
    {
      name: 'Kysely',
      matches: isKysely,
      instrument: (kysely, settings) => instrumentKysely(kysely as Kysely, settings),
    },
  ],
};

/** What an ORM above Kysely knows of its database. */
export type KyselyDatabase = Omit<DatabaseTarget, 'system'>;

/**
 * Instruments an instance of Kysely, also as the part of an ORM.
 *
 * @returns a function that undoes it: connections that live on pass their queries through
 */
export function instrumentKysely(kysely: Kysely, settings: CurrentSettings, database: KyselyDatabase = {}): () => void {
  const executor = kysely.getExecutor();
  let isOver = false;
  const undo = instrumentExecutor(executor, {
    settings: () => (isOver ? undefined : settings()),
    target: { ...database, system: systemOf(executor.adapter) },
    isDriverSilent: false,
  });
  return () => {
    isOver = true;
    undo();
  };
}
