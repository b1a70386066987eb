/** The members of Bull's objects that are used here. The package itself is never imported. */
import { hasMembers } from '../../core/has-members.js';
import { isObject } from '../../core/is-object.js';

/** A queue, which also processes its jobs. */
export interface BullQueue {
  readonly name: string;
  /** The processors by the names of their jobs, `*` for all others. Each returns a promise. */
  readonly handlers: Record<string, unknown>;
  /** Returns the key of a part of the queue, `bull:orders:wait`; for an empty part, the beginning of all keys. */
  toKey(part: string): string;
}

export interface BullJob {
  readonly id?: string | number;
  readonly name: string;
  /** The number of attempts that have failed so far. */
  readonly attemptsMade: number;
  readonly opts: Record<string, unknown>;
}

/** True for a queue of Bull. Its clients are getters that open a connection, so they are no part of the test. */
export function isBullQueue(candidate: object): boolean {
  return hasMembers(candidate, ['add', 'addBulk', 'process', 'processJob', 'handlers', 'keyPrefix', 'toKey']);
}

export function isBullJob(candidate: unknown): candidate is BullJob {
  return isObject(candidate) && hasMembers(candidate, ['name', 'opts', 'attemptsMade']);
}
