import type { DatabaseSystem } from '../system.js';

export const mongodb: DatabaseSystem = { name: 'mongodb', dialect: undefined, defaultPort: 27_017, statusCodeOf };

/** The errors of the server have a number. Those of the driver and of the network have none, or that of Node. */
function statusCodeOf(error: object): string | undefined {
  const { code } = error as { code?: unknown };
  return typeof code === 'number' ? String(code) : undefined;
}
