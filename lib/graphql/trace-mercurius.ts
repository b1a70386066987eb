import { types } from 'node:util';
import { callSafely } from '../core/diagnostics.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { interceptMethod } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { findOperation, type GraphQLDocument, type OperationNode } from './document.js';
import { readFormattedError, type OperationError, type ResultError } from './errors.js';
import { OperationTimer } from './metrics.js';
import {
  addBatchedOperation,
  describeOperation,
  failureType,
  recordedFailure,
  recordErrors,
  type OperationNaming,
} from './served-operation.js';

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

/** A call of Mercurius that executes an operation for a request. */
interface Execution {
  readonly incoming: IncomingOperation;
  readonly operationName: unknown;
  readonly timer: OperationTimer | undefined;
  operation?: OperationNode;
}

/** The executions by their contexts, which Mercurius passes to its hooks. */
const executions = new WeakMap<object, Execution>();

/** Instruments Mercurius, after it has been registered with an instance of Fastify. */
export function traceMercurius(instance: unknown, naming: OperationNaming): void {
  if (!isMercurius(instance)) return;
  instance.graphql.addHook('preExecution', async (_schema, document, context) => {
    callSafely('A GraphQL operation', () => describe(document, context, naming));
  });
  // Mercurius has no hook for documents that it rejects, and calls none with the errors of resolvers before they are formatted.
  interceptMethod(instance, 'graphql', (graphql, thisArg, args) => {
    const incoming = IncomingOperation.active();
    if (!incoming?.isRecording && !(incoming && naming.meter)) return Reflect.apply(graphql, thisArg, args);
    const [, context, , operationName] = args;
    const execution: Execution = { incoming, operationName, timer: OperationTimer.start(naming) };
    if (isObject(context)) executions.set(context, execution);
    const result: unknown = Reflect.apply(graphql, thisArg, args);
    if (types.isPromise(result)) watchResult(result, execution);
    return result;
  });
}

function describe(document: GraphQLDocument, context: MercuriusContext, naming: OperationNaming): void {
  const execution = executions.get(context);
  // The application may execute an operation without a context of its own.
  const incoming = execution ? execution.incoming : IncomingOperation.active();
  const operation = incoming && findOperation(document, execution?.operationName);
  if (!operation) return;
  if (execution) execution.operation = operation;
  execution?.timer?.name(operation);
  if (context.operationsCount !== undefined) addBatchedOperation(incoming, operation);
  else describeOperation(incoming, operation, naming);
}

function watchResult(result: Promise<unknown>, execution: Execution): void {
  const { incoming, timer } = execution;
  const end = (errors: readonly OperationError[]) =>
    callSafely('The errors of a GraphQL operation', () => {
      recordErrors(incoming, errors);
      timer?.fail(failureType(errors));
      timer?.endIn(incoming);
    });
  void result.then(
    (outcome) => end(errorsOf(outcome).map((error) => readUnseenError(error, execution))),
    (thrown: unknown) => end(requestErrors(thrown)),
  );
}

/** Reads an error of a result. An exception that was seen where it was thrown has marked the operation as failed already. */
function readUnseenError(error: ResultError, { incoming, operation }: Execution): OperationError {
  const read = readFormattedError(error);
  return operation && recordedFailure(incoming, operation) !== undefined ? { ...read, isFailure: false } : read;
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
