import { context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { followPromise, isThenable } from '../../core/follow-promise.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ConnectionWait } from '../connection-wait.js';
import { hideOwnFrames } from '../failure.js';
import type { CurrentSettings } from '../query-settings.js';
import { redisTarget } from '../redis/start-command.js';
import { restoreClient } from './pool-waiters.js';

/** The members of a pool that are used here. */
interface RedisPool {
  /** The pool itself: an application has an object that inherits from it, and so do variants with other options. */
  readonly _self?: RedisPool;
  readonly isOpen?: boolean;
  readonly isClosing?: boolean;
}

/** The members of a client that are used here. */
interface PooledClient {
  readonly options?: {
    readonly database?: number;
    readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string };
  };
}

export function isRedisPool(candidate: object): boolean {
  return ['execute', 'totalClients', 'tasksQueueLength'].every((key) => key in candidate);
}

/**
 * Instruments a pool of node-redis. It uses a client that is given back on behalf of the next caller in the context of the previous one, so the
 * function of each caller is bound to its context.
 */
export function instrumentPool(given: object, settings: CurrentSettings): () => void {
  const pool: RedisPool = (given as RedisPool)['_self'] ?? (given as RedisPool);
  const undo = interceptMethod(pool, 'execute', (execute, thisArg, args) => {
    const [use, ...rest] = args;
    const current = settings();
    if (typeof use !== 'function' || !current) return Reflect.apply(execute, thisArg, args);
    const caller = context.active();
    const wait = new ConnectionWait(caller, current);
    function useInContext(this: unknown, client: PooledClient, ...others: unknown[]): unknown {
      callSafely('Measuring a wait for a client of redis', () => {
        restoreClient(client);
        wait.end(targetOfClient(client));
      });
      try {
        return callInContext(caller, use as AnyMethod, this, [client, ...others]);
      } catch (error) {
        callSafely('Removing frames from a stack', () => hideOwnFrames(error));
        throw error;
      }
    }
    const result: unknown = Reflect.apply(execute, thisArg, [useInContext, ...rest]);
    return isClosed(pool) ? withoutOwnFrames(result) : result;
  });
  return undo ?? (() => {});
}

/** True for a pool that rejects a call at once. */
function isClosed({ isClosing, isOpen }: RedisPool): boolean {
  return isClosing === true || isOpen === false;
}

/** Returns a promise of the same result, whose error shows no functions of the library. */
function withoutOwnFrames(result: unknown): unknown {
  if (!isObject(result) || !isThenable(result)) return result;
  const onRejected = (error: unknown) => callSafely('Removing frames from a stack', () => hideOwnFrames(error));
  return followPromise(result, { context: undefined }, { onFulfilled: (value) => value, onRejected }) ?? result;
}

function targetOfClient({ options: { database = 0, socket = {} } = {} }: PooledClient) {
  if (socket.path !== undefined) return redisTarget(database, socket.path, undefined);
  return redisTarget(database, socket.host ?? 'localhost', socket.port ?? 6379);
}
