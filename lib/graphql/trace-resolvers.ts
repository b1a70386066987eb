import { types } from 'node:util';
import { callSafely } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { settle } from '../core/settle.js';
import type { AnyMethod } from '../core/wrap-method.js';
import type { OperationNode } from './document.js';
import { startFieldWork } from './field-span.js';
import { measureUntilOver } from './metrics.js';
import { replaceResolver } from './replace-resolver.js';
import { isWithinSpan, operationOf, RootWork } from './root-work.js';
import { describeOperation, recordFailure, recordFieldException, type OperationNaming } from './served-operation.js';
import { traceSubscription } from './trace-subscription.js';

export interface ResolverTracing extends OperationNaming {
  /** True if each call of a resolver method has a span. */
  readonly resolvers: boolean;
  /** True if the server does not show the exceptions of fields, so that they are observed where they are thrown. */
  areFieldsObserved: boolean;
  /** The fields with a resolver method, such as `User.posts`. */
  readonly fields: Set<string>;
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
      const name = `${type}.${field}`;
      if (type === SUBSCRIPTION && isObject(resolver)) fields[field] = traceSubscription(name, resolver, tracing);
      else if (typeof resolver !== 'function' || field === '__resolveType') continue;
      else fields[field] = traceMethod(type, name, resolver as AnyMethod, tracing);
      tracing.fields.add(name);
    }
  }
}

function traceMethod(type: string, name: string, resolver: AnyMethod, tracing: ResolverTracing): unknown {
  if (ROOTS.has(type)) return traceRoot(name, resolver, tracing);
  const observed = tracing.areFieldsObserved ? observeField(resolver) : resolver;
  return tracing.resolvers ? traceField(name, observed) : observed;
}

/** Returns a resolver of a query or a mutation that describes the operation, if the server of GraphQL has not done so. */
function traceRoot(name: string, resolver: AnyMethod, tracing: ResolverTracing): AnyMethod {
  const resolve = tracing.resolvers ? traceField(name, resolver) : resolver;
  return replaceResolver(resolver, (thisArg, args) => {
    if (!isWithinSpan()) return settle(() => RootWork.startField(name, args, tracing), resolve, thisArg, args);
    const incoming = IncomingOperation.active();
    if (!incoming?.isRecording && !(incoming && tracing.meter)) return Reflect.apply(resolve, thisArg, args);
    const operation = operationOf(args);
    if (operation) callSafely('A GraphQL operation', () => describe(incoming, operation, tracing));
    const result: unknown = Reflect.apply(resolve, thisArg, args);
    if (operation) watchFailure(result, (thrown) => recordFailure(incoming, operation, thrown));
    return result;
  });
}

function describe(incoming: IncomingOperation, operation: OperationNode, tracing: ResolverTracing): void {
  if (describeOperation(incoming, operation, tracing)) measureUntilOver(incoming, operation, tracing);
}

/** Returns a resolver of a field, whose exceptions are recorded in the span of the request. */
function observeField(resolver: AnyMethod): AnyMethod {
  return replaceResolver(resolver, (thisArg, args) => {
    const incoming = IncomingOperation.active();
    if (!incoming || incoming.isOver) return Reflect.apply(resolver, thisArg, args);
    const record = (thrown: unknown) => recordFieldException(incoming, operationOf(args), thrown);
    try {
      const result: unknown = Reflect.apply(resolver, thisArg, args);
      watchFailure(result, record);
      return result;
    } catch (thrown) {
      callSafely('The failure of a GraphQL operation', () => record(thrown));
      throw thrown;
    }
  });
}

/** Observes the promise of a resolver, which stays the one that the server gets. */
function watchFailure(result: unknown, record: (thrown: unknown) => void): void {
  if (!types.isPromise(result)) return;
  void result.then(undefined, (thrown: unknown) => {
    callSafely('The failure of a GraphQL operation', () => record(thrown));
  });
}

function traceField(name: string, resolver: AnyMethod): AnyMethod {
  return replaceResolver(resolver, (thisArg, args) => {
    if (!IncomingOperation.active()?.isRecording) return Reflect.apply(resolver, thisArg, args);
    return settle(() => startFieldWork(name, args), resolver, thisArg, args);
  });
}
