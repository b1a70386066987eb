import { types } from 'node:util';
import { callSafely } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { findOperation, type GraphQLDocument } from './document.js';
import { readFormattedError, type OperationError, type ResultError } from './errors.js';
import { addBatchedOperation, describeOperation, recordErrors, type OperationNaming } from './served-operation.js';

/** The members of Mercurius' context of an operation that are read here. */
interface MercuriusContext {
  /** The number of operations of a batched request. */
  readonly operationsCount?: number;
}

type PreExecutionHook = (schema: unknown, document: GraphQLDocument, context: MercuriusContext) => Promise<void>;

/** The members of an instance of Fastify with Mercurius that are used here. */
interface MercuriusInstance {
  readonly graphql: { addHook(name: 'preExecution', hook: PreExecutionHook): void };
}

/** Instruments Mercurius, after it has been registered with an instance of Fastify. */
export function traceMercurius(instance: unknown, naming: OperationNaming): void {
  if (!isMercurius(instance)) return;
  instance.graphql.addHook('preExecution', async (_schema, document, context) => {
    callSafely('A GraphQL operation', () => describe(document, context, naming));
  });
  // Mercurius has no hook for documents that it rejects, and calls none with the errors of resolvers before they are formatted.
  interceptMethod(instance, 'graphql', (graphql, thisArg, args) => {
    const incoming = IncomingOperation.active();
    const result: unknown = Reflect.apply(graphql, thisArg, args);
    if (incoming?.isRecording && types.isPromise(result)) watchResult(result, incoming);
    return result;
  });
}

function describe(document: GraphQLDocument, { operationsCount }: MercuriusContext, naming: OperationNaming): void {
  const incoming = IncomingOperation.active();
  // The name is not passed on: with several operations in a document, the first resolver that is called tells which one it is.
  const operation = incoming?.isRecording && findOperation(document, undefined);
  if (!incoming || !operation) return;
  if (operationsCount !== undefined) addBatchedOperation(incoming, operation);
  else describeOperation(incoming, operation, naming);
}

function watchResult(result: Promise<unknown>, incoming: IncomingOperation): void {
  void result.then(
    (execution) =>
      callSafely('The errors of a GraphQL operation', () =>
        recordErrors(
          incoming,
          errorsOf(execution).map((error) => readFormattedError(error)),
        ),
      ),
    (thrown: unknown) =>
      callSafely('The errors of a GraphQL operation', () => recordErrors(incoming, requestErrors(thrown))),
  );
}

function errorsOf(execution: unknown): readonly ResultError[] {
  const errors = isObject(execution) ? (execution as { errors?: unknown }).errors : undefined;
  return Array.isArray(errors) ? (errors as ResultError[]) : [];
}

/** Returns the errors of a document that Mercurius has rejected. They have no code: the exception that Mercurius throws has one. */
function requestErrors(thrown: unknown): readonly OperationError[] {
  if (!isObject(thrown)) return [];
  const { code } = thrown as { code?: unknown };
  const rejected = errorsOf(thrown);
  return (rejected.length > 0 ? rejected : [undefined]).map(() => readFormattedError({ extensions: { code } }));
}

function isMercurius(instance: unknown): instance is MercuriusInstance {
  if (!isObject(instance)) return false;
  const { graphql } = instance as { graphql?: unknown };
  return typeof graphql === 'function' && 'addHook' in graphql && typeof graphql.addHook === 'function';
}
