import { drizzleLibrary } from './drizzle/library.js';
import { knexLibrary } from './knex/library.js';
import { bullmqLibrary } from './bullmq/library.js';
import { cacheManagerLibrary } from './cache-manager/library.js';
import { ioredisLibrary } from './ioredis/library.js';
import { kyselyLibrary } from './kysely/library.js';
import type { DataLibrary } from './library.js';
import { mikroOrmLibrary } from './mikro-orm/library.js';
import { mongodbLibrary } from './mongodb/library.js';
import { mssqlLibrary } from './mssql/library.js';
import { mysqlLibrary } from './mysql/library.js';
import { nodeRedisLibrary } from './node-redis/library.js';
import { postgresLibrary } from './postgres/library.js';
import { prismaLibrary } from './prisma/library.js';
import { sequelizeLibrary } from './sequelize/library.js';
import { sqliteLibrary } from './sqlite/library.js';
import { typeormLibrary } from './typeorm/library.js';

/** The libraries that are traced. */
export const dataLibraries: readonly DataLibrary[] = [
  postgresLibrary,
  mysqlLibrary,
  mongodbLibrary,
  mssqlLibrary,
  sqliteLibrary,
  typeormLibrary,
  prismaLibrary,
  sequelizeLibrary,
  mikroOrmLibrary,
  knexLibrary,
  kyselyLibrary,
  drizzleLibrary,
  ioredisLibrary,
  nodeRedisLibrary,
  bullmqLibrary,
  cacheManagerLibrary,
];
