import { types } from 'node:util';
import { callSafely } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { settle } from '../core/settle.js';
import type { AnyMethod } from '../core/wrap-method.js';
import { isResolveInfo } from './document.js';
import { startFieldWork } from './field-span.js';
import { replaceResolver } from './replace-resolver.js';
import { isWithinSpan, RootWork } from './root-work.js';
import { describeOperation, recordFailure, type OperationNaming } from './served-operation.js';
import { traceSubscription } from './trace-subscription.js';

export interface ResolverTracing extends OperationNaming {
  /** True if each call of a resolver method has a span. */
  readonly resolvers: boolean;
}

/** Resolver methods by type and field, as Nest gives them to the library that makes the schema. */
type ResolverMap = Record<string, Record<string, unknown>>;

const SUBSCRIPTION = 'Subscription';
const ROOTS = new Set(['Query', 'Mutation', SUBSCRIPTION]);

/**
 * Instruments the resolver methods of an application. Call it before the schema is made. Returns a function that undoes it.
 *
 * Nest's `ResolversExplorerService` returns every resolver method, with its guards, pipes, interceptors and filters, and no field that
 * is read from its parent. So fields without a method cost nothing, and neither do the others unless they have spans.
 *
 * @param explorer the service
 */
export function traceResolvers(explorer: object, tracing: ResolverTracing): (() => void) | undefined {
  return interceptMethod(explorer, 'explore', (method, thisArg, args) => {
    const found: unknown = Reflect.apply(method, thisArg, args);
    callSafely('Tracing resolvers', () => {
      if (isObject(found)) traceAll(found as ResolverMap, tracing);
    });
    return found;
  });
}

function traceAll(map: ResolverMap, tracing: ResolverTracing): void {
  for (const [type, fields] of Object.entries(map)) {
    if (!isObject(fields)) continue;
    for (const [field, resolver] of Object.entries(fields)) {
      if (type === SUBSCRIPTION && isObject(resolver))
        fields[field] = traceSubscription(`${type}.${field}`, resolver, tracing);
      else if (typeof resolver !== 'function' || field === '__resolveType') continue;
      else if (ROOTS.has(type)) fields[field] = traceRoot(`${type}.${field}`, resolver as AnyMethod, tracing);
      else if (tracing.resolvers) fields[field] = traceField(`${type}.${field}`, resolver as AnyMethod);
    }
  }
}

/** Returns a resolver of a query or a mutation that describes the operation, if the server of GraphQL has not done so. */
function traceRoot(name: string, resolver: AnyMethod, tracing: ResolverTracing): AnyMethod {
  const resolve = tracing.resolvers ? traceField(name, resolver) : resolver;
  return replaceResolver(resolver, (thisArg, args) => {
    if (!isWithinSpan()) return settle(() => RootWork.startField(name, args, tracing), resolve, thisArg, args);
    const incoming = IncomingOperation.active();
    if (!incoming?.isRecording) return Reflect.apply(resolve, thisArg, args);
    const info = args[3];
    if (isResolveInfo(info))
      callSafely('A GraphQL operation', () => describeOperation(incoming, info.operation, tracing));
    const result: unknown = Reflect.apply(resolve, thisArg, args);
    watchFailure(result, incoming);
    return result;
  });
}

/** Records a failure in the span of the request. The promise of Nest's resolvers is observed, and stays the one that the server gets. */
function watchFailure(result: unknown, incoming: IncomingOperation): void {
  if (!types.isPromise(result)) return;
  void result.then(undefined, (thrown: unknown) => {
    callSafely('The failure of a GraphQL operation', () => recordFailure(incoming, thrown));
  });
}

function traceField(name: string, resolver: AnyMethod): AnyMethod {
  return replaceResolver(resolver, (thisArg, args) => {
    if (!IncomingOperation.active()?.isRecording) return Reflect.apply(resolver, thisArg, args);
    return settle(() => startFieldWork(name, args), resolver, thisArg, args);
  });
}
