/** The members of MikroORM's objects that are used here. The package itself is never imported. */
import { isObject } from '../../core/is-object.js';

export interface MikroOrm {
  readonly em: {
    getConnection(type?: string): MikroOrmConnection;
    getPlatform?(): { getExceptionConverter?(): unknown };
  };
  readonly driver?: { readonly replicas?: unknown };
}

export interface MikroOrmConnection {
  /** Returns the instance of Knex of MikroORM 6. */
  getKnex?(): unknown;
  /** Returns the instance of Kysely of MikroORM 7, which it creates if there is none, or the client of MongoDB. */
  getClient?(): unknown;
  /** Returns the database of MongoDB. */
  getDb?(): unknown;
  /** True if the instance of Kysely, or the client of MongoDB, exists. */
  readonly connected?: boolean;
  /** The options, which are complete once the instance of Kysely exists. */
  readonly options?: { readonly host?: unknown; readonly port?: unknown; readonly dbName?: unknown };
}

/** Returns the connections, each of which has a pool: that for writing, and those for reading. */
export function connectionsOf({ driver, em }: MikroOrm): readonly MikroOrmConnection[] {
  const replicas: unknown[] = Array.isArray(driver?.replicas) ? driver.replicas : [em.getConnection('read')];
  return [...new Set([em.getConnection('write'), ...replicas])].filter(isObject);
}
