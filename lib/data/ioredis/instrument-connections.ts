import { ROOT_CONTEXT } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod, type MethodInterceptor } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { HandedOutConnections } from '../handed-out-connections.js';
import { announcesConnections, type IoredisClient } from './ioredis.js';

/**
 * Opens the connections of a client outside of any request, and instruments its duplicates, which have connections of their own. The sockets live
 * on after the request in which a client connects, and must not keep its context; of a client that announces its connections, the channel does
 * that.
 *
 * @param instrumentDuplicate returns a function that undoes it; undefined if the object is no client
 * @returns functions that undo it
 */
export function instrumentConnections(
  client: IoredisClient,
  instrumentDuplicate: (duplicate: object) => (() => void) | undefined,
): readonly ((() => void) | undefined)[] {
  const duplicates = new HandedOutConnections();
  const isAnnounced = !client.isCluster && announcesConnections(client);
  const connect: MethodInterceptor = (method, thisArg, args) =>
    isAnnounced ? Reflect.apply(method, thisArg, args) : callInContext(ROOT_CONTEXT, method, thisArg, args);
  return [
    isAnnounced ? undefined : interceptMethod(client, 'connect', connect),
    // A duplicate may connect as soon as it is created.
    interceptMethod(client, 'duplicate', (duplicate, thisArg, args) => {
      const created: unknown = connect(duplicate, thisArg, args);
      callSafely('Tracing a client of ioredis', () => {
        if (isObject(created)) duplicates.add(created, () => instrumentDuplicate(created));
      });
      return created;
    }),
    () => duplicates.release(),
  ];
}
