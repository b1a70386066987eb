import { callSafely } from '../core/diagnostics.js';
import { definedAttributes } from '../core/defined-attributes.js';
import { isObject } from '../core/is-object.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { ATTR_NAMESPACE, ATTR_PROTOCOL } from './attributes.js';
import { readClient } from './socket-client.js';
import type { SocketTracing } from './tracing.js';

/** The clients that are counted. Nest binds the end of a connection once for each gateway that the client is connected to. */
const counted = new WeakSet<object>();

/**
 * Counts a client until it is disconnected.
 *
 * @param callback the function that Nest has called when the client is disconnected
 * @returns the function to call instead. Undefined if the client is counted already
 */
export function trackConnection(
  client: unknown,
  callback: unknown,
  { activeConnections, namespaces }: SocketTracing,
): AnyMethod | undefined {
  if (!activeConnections || !isObject(client) || typeof callback !== 'function' || counted.has(client))
    return undefined;
  const { namespace, protocol } = readClient(client);
  const attributes = definedAttributes({
    [ATTR_PROTOCOL]: protocol,
    [ATTR_NAMESPACE]: namespaces.metricValue(namespace),
  });
  counted.add(client);
  activeConnections.add(1, attributes);
  return new Proxy(callback as AnyMethod, {
    apply(target, thisArg, args) {
      if (counted.delete(client)) callSafely('Counting a connection', () => activeConnections.add(-1, attributes));
      return Reflect.apply(target, thisArg, args);
    },
  });
}
