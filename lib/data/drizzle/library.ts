import { hasMembers } from '../../core/has-members.js';
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
      matches: (candidate) => hasMembers(candidate, ['$client', 'dialect', 'session', 'select', 'insert']),
      clientsOf: ({ $client, $replicas = [] }: DrizzleDatabase) => [
        $client,
        ...$replicas.map((replica) => replica.$client),
      ],
    },
  ],
};
