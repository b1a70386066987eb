/** The members of the pools of `mysql2` that are used here. The package itself is never imported. */
import type { PoolState } from '../pool-gauges.js';
import { targetOfConfig, type MysqlConfig } from './config.js';

interface MysqlPool {
  /** The pool of a pool of `mysql2/promise`. */
  readonly pool?: MysqlPool;
  readonly config?: {
    readonly connectionLimit?: number;
    readonly connectionConfig?: MysqlConfig;
  };
  readonly _allConnections?: Queue;
  readonly _freeConnections?: Queue;
  readonly _connectionQueue?: Queue;
}

interface Queue {
  readonly length: number;
}

/** Recognizes pools and clusters, also those of `mysql2/promise`. */
export function isPool(candidate: object): boolean {
  return (
    'getConnection' in candidate && 'execute' in candidate && ('releaseConnection' in candidate || 'pool' in candidate)
  );
}

/** Returns the connections of a pool, which counts them in no public member. Undefined for a cluster, or if it is not known. */
export function readPool(given: MysqlPool): PoolState | undefined {
  const pool = given.pool ?? given;
  const { _allConnections: all, _connectionQueue: waiting, _freeConnections: free, config } = pool;
  if (!all || !free || !waiting || !config) return undefined;
  const target = targetOfConfig(config.connectionConfig);
  const idle = free.length;
  return { pool, target, idle, used: all.length - idle, pending: waiting.length, max: config.connectionLimit };
}
