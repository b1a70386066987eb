import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../core/defined-attributes.js';
import { errorType } from '../core/exception.js';
import type { IncomingOperation } from '../core/incoming-operation.js';
import { operationNameOf, type OperationNode } from './document.js';
import { errorAttributes, isFailure, type OperationError } from './errors.js';
import type { OperationNames } from './operation-names.js';

/* In development, so not among the package's stable names. */
const ATTR_OPERATION_NAME = 'graphql.operation.name';
export const ATTR_OPERATION_TYPE = 'graphql.operation.type';

/** The number of exceptions of one operation that are recorded. A list may have one for each of its elements. */
const MAX_EXCEPTIONS = 16;

/** How operations are described. */
export interface OperationNaming {
  readonly names: OperationNames;
  /** False if the application names server spans itself. */
  readonly renamesSpans: boolean;
}

/** The requests whose operation is described. With several servers of one application, more than one of them may see it. */
const described = new WeakSet<IncomingOperation>();

/** Returns the attributes of an operation. */
export function operationAttributes(operation: OperationNode): Attributes {
  return definedAttributes({
    [ATTR_OPERATION_TYPE]: operation.operation,
    [ATTR_OPERATION_NAME]: operationNameOf(operation),
  });
}

/** Describes the span of a request by the operation that the request executes. Idempotent. */
export function describeOperation(
  incoming: IncomingOperation,
  operation: OperationNode,
  { names, renamesSpans }: OperationNaming,
): void {
  if (described.has(incoming)) return;
  described.add(incoming);
  incoming.callsResolvers = true;
  incoming.describe('A GraphQL operation', () => operationAttributes(operation));
  if (!renamesSpans || incoming.isJoined || !incoming.isRecording) return;
  // The type alone tells less than the route does.
  const name = names.spanName(operation.operation, operationNameOf(operation));
  if (name !== undefined) incoming.span.updateName(name);
}

/** Adds an operation of a request that executes several. The span keeps the name of the request. */
export function addBatchedOperation(incoming: IncomingOperation, operation: OperationNode): void {
  described.add(incoming);
  incoming.callsResolvers = true;
  if (incoming.isRecording) incoming.span.addEvent('graphql operation', operationAttributes(operation));
}

/** Records the errors of an operation, and each exception that has not been recorded further in. */
export function recordErrors(incoming: IncomingOperation, errors: readonly OperationError[]): void {
  if (!incoming.isRecording || errors.length === 0) return;
  incoming.span.setAttributes(errorAttributes(errors));
  for (const { thrown } of errors.slice(0, MAX_EXCEPTIONS)) {
    if (thrown !== undefined && !isGuardRejection(thrown)) incoming.recordException(thrown);
  }
  const failure = errors.find((error) => error.isFailure);
  if (failure) markFailed(incoming, failure);
}

/** Marks the span of a request as failed, if the application has. */
export function recordFailure(incoming: IncomingOperation, thrown: unknown): void {
  if (incoming.isRecording && isFailure(thrown)) markFailed(incoming, { thrown });
}

/** The response has the status 200, so that the HTTP server sees no failure. */
function markFailed({ span }: IncomingOperation, { thrown }: Pick<OperationError, 'thrown'>): void {
  span.setAttribute(ATTR_ERROR_TYPE, thrown === undefined ? '_OTHER' : errorType(thrown));
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** True for the exception that Nest throws if a guard has returned false. That is a decision of the guard, and no failure. */
function isGuardRejection(thrown: unknown): boolean {
  return (thrown as { message?: unknown } | null)?.message === 'Forbidden resource';
}
