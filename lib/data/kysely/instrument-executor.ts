import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { followPromise, isThenable } from '../../core/follow-promise.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { hasWithheldDetails } from '../../core/withheld-details.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import { instrumentConnection } from './instrument-connection.js';
import type { KyselyTracing } from './kysely.js';

/** The methods that return a further executor over the same connections. */
const DERIVING_METHODS = ['withPlugin', 'withPlugins', 'withPluginAtFront', 'withoutPlugins'] as const;

/**
 * Instruments an executor of Kysely, through which all queries of an instance pass: the connections that it hands out, those of transactions
 * included. An executor that it creates is instrumented as well.
 */
export function instrumentExecutor(executor: object, tracing: KyselyTracing): () => void {
  const undos = [
    interceptMethod(executor, 'provideConnection', (provide, thisArg, args) => {
      const [use, ...rest] = args;
      if (typeof use !== 'function' || !tracing.settings()) return Reflect.apply(provide, thisArg, args);
      return provideConnection(provide, thisArg, [use, ...rest], tracing);
    }),
    ...DERIVING_METHODS.map((method) =>
      interceptMethod(executor, method, (derive, thisArg, args) => {
        const derived: unknown = Reflect.apply(derive, thisArg, args);
        if (isObject(derived) && tracing.settings())
          callSafely('Tracing Kysely', () => instrumentExecutor(derived, tracing));
        return derived;
      }),
    ),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}

function provideConnection(provide: AnyMethod, thisArg: unknown, args: unknown[], tracing: KyselyTracing): unknown {
  const [use, ...rest] = args;
  const current = tracing.settings();
  if (!current) return Reflect.apply(provide, thisArg, args);
  const wait = new ConnectionWait(activeContext(), current);
  let isConnected = false;

  function useConnection(this: unknown, connection: unknown, ...others: unknown[]): unknown {
    isConnected = true;
    callSafely('Tracing a connection of Kysely', () => {
      if (tracing.isDriverSilent) wait.end(tracing.target);
      if (isObject(connection)) instrumentConnection(connection, tracing);
    });
    return Reflect.apply(use as AnyMethod, this, [connection, ...others]);
  }

  /** The driver may have a span for a connection that fails, and has withheld the details of its error then. */
  function onRejected(error: unknown): void {
    if (isConnected || hasWithheldDetails(error)) return;
    callSafely('Measuring a wait for a connection', () => wait.fail(error, describeConnect(tracing.target)));
  }

  const result: unknown = Reflect.apply(provide, thisArg, [useConnection, ...rest]);
  if (!isObject(result) || !isThenable(result)) return result;
  const continuation = { onFulfilled: (value: unknown) => value, onRejected };
  return followPromise(result, { context: undefined }, continuation) ?? result;
}
