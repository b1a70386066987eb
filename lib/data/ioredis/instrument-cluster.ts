import { activeContext, callInContext } from '../../core/context-manager.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { AnyMethod } from '../../core/wrap-method.js';

/**
 * Instruments what only a cluster does: until it knows the slots of its nodes, it keeps back the commands that it is to send in pipelines of its
 * own. They are to be sent in the context of their callers.
 */
export function instrumentCluster(cluster: object): () => void {
  const undo = interceptMethod(cluster, 'delayUntilReady', (delay, thisArg, args) => {
    const [callback, ...rest] = args;
    if (typeof callback !== 'function') return Reflect.apply(delay, thisArg, args);
    const caller = activeContext();
    function onReady(this: unknown, ...given: unknown[]): unknown {
      return callInContext(caller, callback as AnyMethod, this, given);
    }
    return Reflect.apply(delay, thisArg, [onReady, ...rest]);
  });
  return undo ?? (() => {});
}
