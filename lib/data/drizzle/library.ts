import type { DataLibrary } from '../library.js';

/** Drizzle, which gives access to the pool or client of its driver. */
export const drizzleLibrary: DataLibrary = {
  name: 'drizzle',
  instances: [
    {
      name: 'Drizzle database',
      matches: (candidate) => ['$client', 'dialect', 'session', 'select', 'insert'].every((key) => key in candidate),
      clientsOf: (database) => [(database as { readonly $client?: unknown }).$client],
    },
  ],
};
