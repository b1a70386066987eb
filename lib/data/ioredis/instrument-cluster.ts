import { ROOT_CONTEXT } from '@opentelemetry/api';
import { activeContext, callInContext } from '../../core/context-manager.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { AnyMethod } from '../../core/wrap-method.js';

/**
 * Instruments what only a cluster does. It asks its nodes for their slots when it connects, and until it knows them, it keeps back the commands
 * that it is to send in pipelines of its own: they are to be sent in the context of their callers.
 */
export function instrumentCluster(cluster: object): () => void {
  const undos = [
    // The sockets live on after the request in which the cluster connects, and must not keep its context.
    interceptMethod(cluster, 'connect', (connect, thisArg, args) =>
      callInContext(ROOT_CONTEXT, connect, thisArg, args),
    ),
    interceptMethod(cluster, 'delayUntilReady', (delay, thisArg, args) => {
      const [callback, ...rest] = args;
      if (typeof callback !== 'function') return Reflect.apply(delay, thisArg, args);
      const caller = activeContext();
      function onReady(this: unknown, ...given: unknown[]): unknown {
        return callInContext(caller, callback as AnyMethod, this, given);
      }
      return Reflect.apply(delay, thisArg, [onReady, ...rest]);
    }),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}
