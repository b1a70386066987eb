import { types } from 'node:util';
import { callSafely } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { isObject } from '../core/is-object.js';
import { settle } from '../core/settle.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { isResolveInfo } from './document.js';
import { replaceResolver } from './replace-resolver.js';
import { isWithinSpan, operationOf, RootWork, startOperation } from './root-work.js';
import { findEvents, SubscriptionEvents } from './subscription-events.js';
import { placementOf } from './socket-caller.js';
import type { OperationNaming } from './served-operation.js';

/** The functions that Nest gives to the schema for a subscription. */
interface SubscriptionResolver {
  /** Returns the events. */
  readonly subscribe?: unknown;
  /** Returns the value of the field from an event. Undefined if the event has the value as a property. */
  readonly resolve?: unknown;
}

/**
 * Returns the resolver of a subscription with a span for its start and one for each event, but none for the time in between.
 *
 * @param field the name of the field, such as `Subscription.orderPlaced`
 */
export function traceSubscription(field: string, resolver: SubscriptionResolver, naming: OperationNaming): object {
  const { resolve, subscribe } = resolver;
  if (typeof subscribe !== 'function') return resolver;
  return {
    ...resolver,
    subscribe: traceSubscribe(field, subscribe as AnyMethod, naming),
    resolve: traceResolve(typeof resolve === 'function' ? (resolve as AnyMethod) : readProperty),
  };
}

function traceSubscribe(field: string, subscribe: AnyMethod, naming: OperationNaming): AnyMethod {
  return replaceResolver(subscribe, (thisArg, args) => {
    let started = IncomingOperation.active();
    const start = () => {
      const placement = placementOf(args[2], naming.trustIncoming);
      started = startOperation(operationOf(args), naming, { fallback: field, placement });
      return RootWork.of(started);
    };
    const result: unknown = isWithinSpan()
      ? Reflect.apply(subscribe, thisArg, args)
      : settle(start, subscribe, thisArg, args);
    const follow = (source: unknown) =>
      callSafely('Tracing a subscription', () => SubscriptionEvents.of(source, field, args, started, naming)) ?? source;
    return types.isPromise(result) ? result.then(follow) : follow(result);
  });
}

/** Returns the resolver of an event's value, which makes the context of the event the active one: it is the first step of the event's execution. */
function traceResolve(resolve: AnyMethod): AnyMethod {
  return replaceResolver(resolve, (thisArg, args) => {
    const info = args[3];
    const event = isResolveInfo(info) ? findEvents(info.operation, args[2])?.enterEvent() : undefined;
    if (!event) return Reflect.apply(resolve, thisArg, args);
    const fail = (thrown: unknown) => event.end({ type: 'failed', thrown });
    try {
      const result: unknown = Reflect.apply(resolve, thisArg, args);
      if (types.isPromise(result)) void result.then(undefined, fail);
      return result;
    } catch (thrown) {
      fail(thrown);
      throw thrown;
    }
  });
}

/** Resolves a field as GraphQL resolves one without a resolver. */
function readProperty(source: unknown, ...args: unknown[]): unknown {
  const info = args[2];
  if (!isObject(source) || !isResolveInfo(info)) return undefined;
  const { fieldName } = info;
  const property: unknown = (source as Record<string, unknown>)[fieldName];
  if (typeof property !== 'function') return property;
  return (source as Record<string, AnyMethod>)[fieldName]?.(...args);
}
