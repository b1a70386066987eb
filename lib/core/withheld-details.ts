import { createHash } from 'node:crypto';
import { isObject } from './is-object.js';
import { readWithoutGetter } from './readable.js';

/** The number of primitives that are remembered at least; at most twice as many are, with about 50 bytes each. */
const MIN_REMEMBERED_PRIMITIVES = 4096;

/** The properties by which an error references the one that it was made of: that of the language, and those of ORMs. */
const CAUSES = ['cause', 'driverError', 'parent', 'nativeError', 'originalError'] as const;
/** The number of causes that are looked at. */
const MAX_CAUSES = 5;

const withheldObjects = new WeakSet<object>();

// A WeakSet cannot hold a primitive, so a primitive is remembered by its value for some time: long enough to be rethrown by every function
// on its way. When the newer half is full, the older half is forgotten. Digests are kept instead of values, since a value is a secret, and
// may be long.
let newer = new Set<number>();
let older = new Set<number>();

/**
 * Remembers that only the type of a thrown value may be recorded, also on a span further out, as the cause of another error, or as the
 * message of a status. A thrown primitive is recognized by its value.
 */
export function withholdDetails(thrown: unknown): void {
  if (isObject(thrown)) {
    withheldObjects.add(thrown);
    return;
  }
  const digest = digestOf(thrown);
  if (digest === undefined || newer.has(digest)) return;
  if (newer.size >= MIN_REMEMBERED_PRIMITIVES) {
    older = newer;
    newer = new Set();
  }
  newer.add(digest);
}

/** True if the details of a thrown value are withheld, or if it repeats those of a cause. Never throws. */
export function hasWithheldDetails(thrown: unknown): boolean {
  if (isObject(thrown)) return withheldObjects.has(thrown) || repeatsWithheldCause(thrown);
  // An application that never withholds a primitive does not pay for digests.
  if (newer.size === 0) return false;
  const digest = digestOf(thrown);
  return digest !== undefined && (newer.has(digest) || older.has(digest));
}

/** True if an error has a cause whose details are withheld, and repeats its message, or has a statement with values, as the errors of ORMs do. */
function repeatsWithheldCause(thrown: object): boolean {
  const message = readWithoutGetter(thrown, 'message');
  if (typeof message !== 'string' || message === '') return false;
  let cause = causeOf(thrown);
  for (let i = 0; i < MAX_CAUSES && isObject(cause); i++, cause = causeOf(cause)) {
    if (!withheldObjects.has(cause)) continue;
    if (typeof readWithoutGetter(thrown, 'query') === 'string') return true;
    const repeated = readWithoutGetter(cause, 'message');
    return typeof repeated === 'string' && repeated !== '' && message.includes(repeated);
  }
  return false;
}

function causeOf(error: object): unknown {
  return CAUSES.map((key) => readWithoutGetter(error, key)).find(isObject);
}

/** Returns 48 bits of a digest, which a number can hold. Undefined for null and undefined, which have no details. */
function digestOf(thrown: unknown): number | undefined {
  if (thrown === null || thrown === undefined) return undefined;
  const primitive = thrown as string | number | bigint | boolean | symbol;
  const digest = createHash('sha256')
    .update(`${typeof primitive} ${String(primitive)}`)
    .digest();
  return digest.readUIntBE(0, 6);
}
