import { bullmqLibrary } from './bullmq/library.js';
import { cacheManagerLibrary } from './cache-manager/library.js';
import { ioredisLibrary } from './ioredis/library.js';
import type { DataLibrary } from './library.js';
import { mysqlLibrary } from './mysql/library.js';
import { nodeRedisLibrary } from './node-redis/library.js';
import { postgresLibrary } from './postgres/library.js';

/** The libraries that are traced. */
export const dataLibraries: readonly DataLibrary[] = [
  postgresLibrary,
  mysqlLibrary,
  ioredisLibrary,
  nodeRedisLibrary,
  bullmqLibrary,
  cacheManagerLibrary,
];
