import type { DatabaseSystem } from '../system.js';

export const redis: DatabaseSystem = { name: 'redis', dialect: undefined, defaultPort: 6379, statusCodeOf };

/** The prefix of an error, as in `WRONGTYPE Operation against a key …`. */
const PREFIX = /^[A-Z][A-Z0-9_]{2,31}(?= )/;

/** The prefixes of Redis itself. A script may begin its errors with anything, which may be data. */
const CODES: ReadonlySet<string> = new Set(
  `ASK BUSY BUSYGROUP BUSYKEY CLUSTERDOWN CROSSSLOT DENIED ERR EXECABORT INPROG INVALIDOBJ IOERR LOADING MASTERDOWN MISCONF MOVED NOADDR NOAUTH
  NOGOODSLAVE NOGROUP NOMASTERLINK NOPERM NOPROTO NOQUORUM NOREPLICAS NOSCRIPT NOTBUSY NOTREADY OOM READONLY TRYAGAIN UNBLOCKED UNKILLABLE
  WRONGPASS WRONGTYPE`.split(/\s+/),
);

/** The error of a transaction or pipeline of node-redis, which lists the replies. */
interface MultiError {
  readonly replies?: readonly unknown[];
  readonly errorIndexes?: readonly number[];
}

/** Redis has no codes: its errors begin with a prefix. The errors of the clients and of the network do not. */
function statusCodeOf(error: object): string | undefined {
  const { errorIndexes, replies } = error as MultiError;
  const first = errorIndexes?.[0];
  const { message } = (first === undefined ? error : (replies?.[first] ?? error)) as { message?: unknown };
  const prefix = typeof message === 'string' ? PREFIX.exec(message)?.[0] : undefined;
  return prefix !== undefined && CODES.has(prefix) ? prefix : undefined;
}
