import type { DatabaseSystem } from '../system.js';
import { MYSQL } from '../sql/dialect.js';

export const mysql: DatabaseSystem = { name: 'mysql', dialect: MYSQL, defaultPort: 3306, statusCodeOf };

/** The errors of the server have a number and a state. Those of the driver and of the network have no state. */
function statusCodeOf(error: object): string | undefined {
  const { errno, sqlState } = error as { errno?: unknown; sqlState?: unknown };
  return typeof errno === 'number' && errno > 0 && sqlState ? String(errno) : undefined;
}
