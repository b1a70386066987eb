import { warn } from '../core/diagnostics.js';
import { pinInstance, recognizeInstances } from './traced-instances.js';

/**
 * Traces the queries of a pool or client of a database library that dependency injection does not show: one that a service keeps in a
 * property, or that is created outside of Nest. Providers need no call. Libraries with diagnostics channels, such as mysql2, need none
 * either.
 *
 * @returns the same pool
 * @example
 * ```ts
 * class OrdersRepository {
 *   private readonly pool = tracePool(new Pool({ max: 5 }));
 * }
 * ```
 */
export function tracePool<T extends object>(pool: T): T {
  const recognized = recognizeInstances(pool);
  if (recognized.length === 0)
    warn('trace-pool', 'tracePool() was called with an object that is no pool or client of a library that is traced.');
  for (const each of recognized) pinInstance(each);
  return pool;
}
