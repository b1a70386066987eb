import { isObject } from '../../core/is-object.js';
import type { DataLibrary } from '../library.js';

/** The members of `MikroORM` that are used here. The package itself is never imported. */
interface MikroOrm {
  readonly em: { getConnection(type?: string): { getKnex?(): unknown } };
}

/** MikroORM 6, which makes its queries by Knex. */
export const mikroOrmLibrary: DataLibrary = {
  name: 'mikroOrm',
  instances: [
    {
      name: 'MikroORM',
      matches: (candidate) => ['em', 'config', 'getMetadata', 'getSchemaGenerator'].every((key) => key in candidate),
      clientsOf(orm) {
        const { em } = orm as MikroOrm;
        const connections = ['write', 'read'].map((type) => em.getConnection(type));
        return [...new Set(connections.map((connection) => connection.getKnex?.()).filter(isObject))];
      },
    },
  ],
};
