import type { DataLibrary } from '../library.js';
import { isCache } from './cache.js';
import { instrumentCache } from './instrument-cache.js';

/** cache-manager from 6, which `@nestjs/cache-manager` uses. */
export const cacheManagerLibrary: DataLibrary = {
  name: 'cache',
  instances: [{ name: 'cache', matches: isCache, instrument: instrumentCache }],
};
