import { hasMembers } from '../../core/has-members.js';
import { isObject } from '../../core/is-object.js';
import type { DataLibrary } from '../library.js';
import type { CurrentSettings } from '../query-settings.js';
import { instrumentConnection } from './instrument-connection.js';
import { instrumentMongoConnection } from './instrument-mongo.js';
import { connectionsOf, type MikroOrm } from './mikro-orm.js';
import { withholdExceptions } from './withhold-exceptions.js';

/** MikroORM 6, which makes its queries by Knex, and MikroORM 7, which makes them by Kysely. Over MongoDB, both use its driver. */
export const mikroOrmLibrary: DataLibrary = {
  name: 'mikroOrm',
  instances: [
    {
      name: 'MikroORM',
      matches: (candidate) => hasMembers(candidate, ['em', 'config', 'getMetadata', 'reconnect']),
      instrument: instrumentOrm,
      clientsOf: (orm) =>
        connectionsOf(orm as MikroOrm)
          .map((connection) => connection.getKnex?.())
          .filter(isObject),
      connectMethods: ['connect', 'reconnect'],
    },
  ],
};

function instrumentOrm(orm: object, settings: CurrentSettings): () => void {
  const undos = [
    withholdExceptions(orm as MikroOrm),
    ...connectionsOf(orm as MikroOrm).map(
      (connection) => instrumentConnection(connection, settings) ?? instrumentMongoConnection(connection, settings),
    ),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}
