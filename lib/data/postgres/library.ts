import { combineUndos } from '../../core/intercept-method.js';
import type { DataLibrary } from '../library.js';
import { instrumentConnect } from './connect.js';
import { instrumentClient } from './instrument-client.js';
import { instrumentPool } from './instrument-pool.js';
import { isPgClient, isPgPool, readPool } from './pg.js';
import { instrumentPglite, isPglite } from './pglite.js';

/** pg, which has no diagnostics channel: its pools, and clients that are used without a pool. */
export const postgresLibrary: DataLibrary = {
  name: 'postgres',
  instances: [
    { name: 'PGlite', matches: isPglite, instrument: instrumentPglite },
    { name: 'pg.Pool', matches: isPgPool, instrument: instrumentPool, readPool },
    {
      name: 'pg.Client',
      matches: isPgClient,
      instrument: (client, settings) =>
        combineUndos([instrumentClient(client, settings), instrumentConnect(client, settings)]) ?? (() => {}),
    },
  ],
};
