import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../core/defined-attributes.js';
import { errorType } from '../core/exception.js';
import type { IncomingOperation } from '../core/incoming-operation.js';
import type { Operation } from '../core/operation.js';
import type { OperationMeter } from '../core/operation-meter.js';
import { operationNameOf, type OperationNode } from './document.js';
import { errorAttributes, isFailure, type OperationError } from './errors.js';
import type { OperationNames } from './operation-names.js';
import type { CallerTrust } from './socket-caller.js';

/* In development, so not among the package's stable names. */
export const ATTR_OPERATION_NAME = 'graphql.operation.name';
export const ATTR_OPERATION_TYPE = 'graphql.operation.type';

/** The number of exceptions of one operation that are recorded. A list may have one for each of its elements. */
const MAX_EXCEPTIONS = 16;

/** How operations are described and measured. */
export interface OperationNaming {
  readonly names: OperationNames;
  /** False if the application names server spans itself. */
  readonly renamesSpans: boolean;
  /** Undefined if the application measures nothing. */
  readonly meter: OperationMeter | undefined;
  readonly trustIncoming: CallerTrust;
}

/** The outcome of an operation, as far as it is seen while the operation is executed. */
interface ShownOperation {
  /** The `error.type` of the first failure of a resolver. */
  failure?: string;
  /** The number of exceptions of its fields. */
  exceptions?: number;
}

/** The operations that each request executes, as far as the span of the request shows them. */
const shownOperations = new WeakMap<IncomingOperation, WeakMap<OperationNode, ShownOperation>>();

/** Returns the attributes of an operation. */
export function operationAttributes(operation: OperationNode): Attributes {
  return definedAttributes({
    [ATTR_OPERATION_TYPE]: operation.operation,
    [ATTR_OPERATION_NAME]: operationNameOf(operation),
  });
}

/** True if the span of a request shows this operation. */
export function isShown(incoming: IncomingOperation, operation: OperationNode): boolean {
  return shownOperations.get(incoming)?.has(operation) === true;
}

/** True if the span of a request shows any operation, or cannot: it is none of a request. */
export function isDescribed(incoming: IncomingOperation): boolean {
  return incoming.exchange?.isDescribedByOperation !== true || shownOperations.has(incoming);
}

/**
 * Describes the span of a request by the operation that the request executes. Returns false if it is described already, possibly by another
 * operation, or if it is no request: that of a message or of a job stays as it is.
 */
export function describeOperation(
  incoming: IncomingOperation,
  operation: OperationNode,
  { names, renamesSpans }: OperationNaming,
): boolean {
  incoming.callsResolvers = true;
  if (isDescribed(incoming)) return false;
  show(incoming, operation);
  incoming.describe('A GraphQL operation', () => operationAttributes(operation));
  if (renamesSpans && !incoming.isJoined && incoming.isRecording && !incoming.isHandlerReached) {
    const name = names.requestName(operation.operation, operationNameOf(operation));
    if (name !== undefined) incoming.span.updateName(name);
  }
  return true;
}

/** Adds an operation of a request that executes several. The span keeps the name of the request. */
export function addBatchedOperation(incoming: IncomingOperation, operation: OperationNode): void {
  show(incoming, operation);
  incoming.callsResolvers = true;
  if (incoming.isRecording) incoming.span.addEvent('graphql operation', operationAttributes(operation));
}

function show(incoming: IncomingOperation, operation: OperationNode): void {
  const shown = shownOperations.get(incoming) ?? new WeakMap<OperationNode, ShownOperation>();
  shownOperations.set(incoming, shown);
  if (!shown.has(operation)) shown.set(operation, {});
}

/** Records the errors of an operation, and each exception that has not been recorded further in. */
export function recordErrors(target: RecordingTarget, errors: readonly OperationError[]): void {
  if (!target.isRecording || errors.length === 0) return;
  target.span.setAttributes(errorAttributes(errors));
  for (const { thrown } of errors.slice(0, MAX_EXCEPTIONS)) {
    if (thrown !== undefined && !isGuardRejection(thrown)) target.recordException(thrown);
  }
  const failure = failureType(errors);
  if (failure !== undefined) markFailed(target, failure);
}

/** What records the errors of an operation: the request that executes it, or a span of its own. */
export type RecordingTarget = Pick<Operation, 'isRecording' | 'recordException' | 'span'>;

/** Returns the `error.type` of an operation that has failed. Undefined if it has not: its errors are answers to the client. */
export function failureType(errors: readonly OperationError[]): string | undefined {
  const failure = errors.find((error) => error.isFailure);
  if (!failure) return undefined;
  return failure.thrown === undefined ? '_OTHER' : errorType(failure.thrown);
}

/** Marks an operation, and the span of its request, as failed, if the application has. */
export function recordFailure(incoming: IncomingOperation, operation: OperationNode, thrown: unknown): void {
  if (!isFailure(thrown)) return;
  const type = errorType(thrown);
  const shown = shownOperations.get(incoming)?.get(operation);
  if (shown) shown.failure ??= type;
  if (shown && incoming.isRecording) markFailed(incoming, type);
}

/** Records an exception of a field, of which an operation may have any number, and marks the operation as failed, if the application has. */
export function recordFieldException(
  incoming: IncomingOperation,
  operation: OperationNode | undefined,
  thrown: unknown,
): void {
  const shown = operation && shownOperations.get(incoming)?.get(operation);
  if (!operation || !shown) return;
  shown.exceptions = (shown.exceptions ?? 0) + 1;
  if (shown.exceptions <= MAX_EXCEPTIONS && !isGuardRejection(thrown)) incoming.recordException(thrown);
  recordFailure(incoming, operation, thrown);
}

/** Returns the `error.type` of an operation whose failure was recorded. */
export function recordedFailure(incoming: IncomingOperation, operation: OperationNode): string | undefined {
  return shownOperations.get(incoming)?.get(operation)?.failure;
}

/** The response has the status 200, so that the HTTP server sees no failure. */
export function markFailed({ span }: RecordingTarget, type: string): void {
  span.setAttribute(ATTR_ERROR_TYPE, type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

/** True for the exception that Nest throws if a guard has returned false. That is a decision of the guard, and no failure. */
function isGuardRejection(thrown: unknown): boolean {
  return (thrown as { message?: unknown } | null)?.message === 'Forbidden resource';
}
