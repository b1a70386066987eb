import type { DatabaseSystem } from '../system.js';

/** The cache of `cache-manager`, whose errors have no codes. */
export const cacheManager: DatabaseSystem = {
  name: 'cache-manager',
  dialect: undefined,
  defaultPort: 0,
  statusCodeOf: () => undefined,
};
