import type { DataLibrary } from '../library.js';

/** The members of Drizzle's databases that are used here. The package itself is never imported. */
interface DrizzleDatabase {
  /** The pool or client of the driver. */
  readonly $client?: unknown;
  /** The databases that a database of `withReplicas()` reads from. */
  readonly $replicas?: readonly DrizzleDatabase[];
}

/** Drizzle, which gives access to the pool or client of its driver. */
export const drizzleLibrary: DataLibrary = {
  name: 'drizzle',
  instances: [
    {
      name: 'Drizzle database',
      matches: (candidate) => ['$client', 'dialect', 'session', 'select', 'insert'].every((key) => key in candidate),
      clientsOf: ({ $client, $replicas = [] }: DrizzleDatabase) => [
        $client,
        ...$replicas.map((replica) => replica.$client),
      ],
    },
  ],
};
