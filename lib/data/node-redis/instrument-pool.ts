import { context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { hasMembers } from '../../core/has-members.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { ConnectionWait, describeConnect } from '../connection-wait.js';
import { hideOwnFrames } from '../failure.js';
import { HandedOutConnections } from '../handed-out-connections.js';
import type { CurrentSettings } from '../query-settings.js';
import { redisTarget } from '../redis/start-command.js';
import { instrumentBatches } from './batch-commands.js';
import { withoutFramesOfRejection } from '../hide-frames.js';
import { restoreClient } from './pool-waiters.js';

/** The members of a pool that are used here. */
interface RedisPool {
  /** The pool itself: an application has an object that inherits from it, and so do variants with other options. */
  readonly _self?: object;
}

/** The members of a client that are used here. */
interface PooledClient {
  readonly options?: {
    readonly database?: number;
    readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string };
  };
}

export function isRedisPool(candidate: object): boolean {
  return hasMembers(candidate, ['execute', 'totalClients', 'tasksQueueLength']);
}

/**
 * Instruments a pool of node-redis. It uses a client that is given back on behalf of the next caller in the context of the previous one, so the
 * function of each caller is bound to its context.
 */
export function instrumentPool(given: object, settings: CurrentSettings): () => void {
  const pool = (given as RedisPool)['_self'] ?? given;
  const clients = new HandedOutConnections();
  // A pool does not tell its server, but its clients do.
  let target = redisTarget(undefined, undefined, undefined);
  const undo = interceptMethod(pool, 'execute', (execute, thisArg, args) => {
    const [use, ...rest] = args;
    const current = settings();
    if (typeof use !== 'function' || !current) return Reflect.apply(execute, thisArg, args);
    const caller = context.active();
    const wait = new ConnectionWait(caller, current);
    let hasClient = false;
    function useInContext(this: unknown, client: PooledClient, ...others: unknown[]): unknown {
      hasClient = true;
      callSafely('Measuring a wait for a client of redis', () => {
        restoreClient(client);
        clients.add(client, () => instrumentBatches(client));
        target = targetOfClient(client);
        wait.end(target);
      });
      try {
        return callInContext(caller, use as AnyMethod, this, [client, ...others]);
      } catch (error) {
        hideOwnFrames(error);
        throw error;
      }
    }
    const result: unknown = Reflect.apply(execute, thisArg, [useInContext, ...rest]);
    if (hasClient) return result;
    return withoutFramesOfRejection(result, (error) => {
      if (hasClient) return;
      callSafely('Measuring a wait for a client of redis', () => {
        // The number of a database is no name.
        wait.fail(error, describeConnect({ ...target, namespace: undefined }));
      });
    });
  });
  return () => {
    undo?.();
    clients.release();
  };
}

function targetOfClient({ options: { database = 0, socket = {} } = {} }: PooledClient) {
  if (socket.path !== undefined) return redisTarget(database, socket.path, undefined);
  return redisTarget(database, socket.host ?? 'localhost', socket.port ?? 6379);
}
