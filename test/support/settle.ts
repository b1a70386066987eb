import { settle as settleMethod } from '../../lib/core/settle.js';
import type { Work } from '../../lib/core/work.js';
import type { AnyMethod } from '../../lib/core/wrap-method.js';

/** Calls a function as a part of its traced work, which it gets as its argument. */
export function settle<T, W extends Work>(start: () => W, call: (work: W) => T): T {
  return settleMethod(start, call as AnyMethod, undefined, (work) => [work]) as T;
}
