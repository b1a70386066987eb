import { createHash } from 'node:crypto';
import { isObject } from './is-object.js';

/** Primitives that are remembered at least; twice as many at most, at some 50 bytes each. */
const REMEMBERED_PRIMITIVES = 4096;

const withheldObjects = new WeakSet<object>();

// A primitive has no identity that a WeakSet could hold, so it is remembered by its value for a while: long enough to leave
// every function it passes through. The older half is forgotten whenever the newer one is full. Digests are kept instead of
// values, since a value is a secret, and may be long.
let newer = new Set<number>();
let older = new Set<number>();

/**
 * Remembers that of this thrown value only its type may be recorded, wherever else it is recorded: on a span further out, as
 * the cause of another error, or as the message of a status. A thrown primitive is recognized by its value.
 */
export function withholdDetails(thrown: unknown): void {
  if (isObject(thrown)) {
    withheldObjects.add(thrown);
    return;
  }
  const digest = digestOf(thrown);
  if (digest === undefined || newer.has(digest)) return;
  if (newer.size >= REMEMBERED_PRIMITIVES) {
    older = newer;
    newer = new Set();
  }
  newer.add(digest);
}

/** True if the details of this thrown value are withheld. */
export function isWithheld(thrown: unknown): boolean {
  if (isObject(thrown)) return withheldObjects.has(thrown);
  // Nothing is digested in an application that never withholds a primitive.
  if (newer.size === 0) return false;
  const digest = digestOf(thrown);
  return digest !== undefined && (newer.has(digest) || older.has(digest));
}

/** 48 bits, which a Set of numbers holds; undefined for values that say nothing beyond their type. */
function digestOf(thrown: unknown): number | undefined {
  if (thrown === null || thrown === undefined) return undefined;
  const primitive = thrown as string | number | bigint | boolean | symbol;
  const digest = createHash('sha256')
    .update(`${typeof primitive} ${String(primitive)}`)
    .digest();
  return digest.readUIntBE(0, 6);
}
