import { ROOT_CONTEXT, type TextMapGetter } from '@opentelemetry/api';
import { isObject } from '../core/is-object.js';
import { isCallerTrusted, resolvePlacement, type SpanPlacement } from '../core/span-placement.js';
import type { HttpRequest, ResolvedHttp } from '../options/http.js';
import { operationExtensions } from './operation-extensions.js';

/** How a client is trusted: by the request that has opened its socket, as any other request. */
export type CallerTrust = ResolvedHttp['trustIncoming'];

/** Reads parameters that a client has written: own properties that are texts, and nothing else. */
const parameterGetter: TextMapGetter<object> = {
  keys: (parameters) => Object.keys(parameters),
  get(parameters, key) {
    const value = memberOf(parameters, key);
    return typeof value === 'string' ? value : undefined;
  },
};

/**
 * Places the span of an operation that has come over a WebSocket. A client may send its trace context with the operation, in its extensions,
 * or when it connects, with the parameters of the connection.
 *
 * @param contextValue the value that resolvers get as their context: that of Nest's drivers leads to the connection
 */
export function placementOf(contextValue: unknown, trustIncoming: CallerTrust): SpanPlacement {
  const connection = memberOf(contextValue, 'req');
  const ofOperation = parametersOf(operationExtensions(contextValue));
  // Mercurius has the parameters and the request in the context itself, and Apollo below the request that stands for the connection.
  const ofConnection = parametersOf(
    memberOf(contextValue, '_connectionInit') ?? memberOf(connection, 'connectionParams'),
  );
  if (!ofOperation && !ofConnection) return { parent: ROOT_CONTEXT };
  const request =
    memberOf(memberOf(contextValue, 'request'), 'raw') ?? memberOf(memberOf(connection, 'extra'), 'request');
  const isTrusted =
    isObject(request) || !trustIncoming
      ? isCallerTrusted('http.trustIncoming', trustIncoming, request as HttpRequest)
      : false;
  const place = (parameters = {}) => resolvePlacement(ROOT_CONTEXT, parameters, parameterGetter, isTrusted);
  const placement = place(ofOperation);
  return placement.caller ? placement : place(ofConnection);
}

/** Returns the object in which a client may have written a trace context. Undefined if it has given none. */
function parametersOf(given: unknown): object | undefined {
  if (!isObject(given)) return undefined;
  const parameters = memberOf(given, 'headers') ?? given;
  return isObject(parameters) ? parameters : {};
}

/** Returns an own property of an object. Undefined for anything else. */
function memberOf(target: unknown, key: string): unknown {
  return isObject(target) && Object.hasOwn(target, key) ? (target as Record<string, unknown>)[key] : undefined;
}
