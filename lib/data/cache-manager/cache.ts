/** The members of the objects of cache-manager and keyv that are used here. The packages themselves are never imported. */
import { hasMembers } from '../../core/has-members.js';
import { types } from 'node:util';

export interface Cache {
  /** Stores of keyv, the fastest first. */
  readonly stores: readonly { readonly store?: unknown }[];
}

export function isCache(candidate: object): boolean {
  return hasMembers(candidate, ['get', 'set', 'del', 'mget', 'wrap', 'stores']);
}

/** True if everything in a cache is in the memory of the process. The clients of other stores have spans of their own. */
export function isInMemory({ stores }: Cache): boolean {
  return Array.isArray(stores) && stores.every(({ store }) => types.isMap(store) || isMemoryStore(store));
}

/** Recognizes the stores of the package `cacheable`. */
function isMemoryStore(store: unknown): boolean {
  return typeof store === 'object' && store !== null && 'lruSize' in store;
}
