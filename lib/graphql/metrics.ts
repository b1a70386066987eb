import type { Attributes, Span } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { definedAttributes } from '../core/defined-attributes.js';
import { DURATION_BUCKETS, Stopwatch } from '../core/duration.js';
import { errorType } from '../core/exception.js';
import type { IncomingExchange, IncomingOperation } from '../core/incoming-operation.js';
import { describeCallOutcome, type CallOutcome } from '../core/incoming-work.js';
import type { Operation } from '../core/operation.js';
import type { OperationMetrics } from '../core/operation-meter.js';
import { operationNameOf, type OperationNode } from './document.js';
import { ATTR_OPERATION_NAME, ATTR_OPERATION_TYPE, recordedFailure, type OperationNaming } from './served-operation.js';

/** The metrics of operations. The conventions have none, so the name is one of the library. Clients cannot add to its attributes without limit. */
export const graphqlMetrics: OperationMetrics = {
  duration: {
    name: 'nestjs.graphql.operation.duration',
    description: 'Duration of GraphQL operations.',
    unit: 's',
    attributes: [ATTR_OPERATION_TYPE, ATTR_OPERATION_NAME, ATTR_ERROR_TYPE],
    buckets: DURATION_BUCKETS,
  },
};

/** Returns the attributes by which an operation is measured. */
export function measuredAttributes(operation: OperationNode, { names }: OperationNaming): Attributes {
  return definedAttributes({
    [ATTR_OPERATION_TYPE]: operation.operation,
    [ATTR_OPERATION_NAME]: names.metricName(operationNameOf(operation)),
  });
}

/** Measures one operation that a server executes, sampled or not. */
export class OperationTimer {
  private readonly stopwatch = new Stopwatch();
  private operation: OperationNode | undefined;
  private failure: string | undefined;

  /** Starts to measure. Undefined if the application measures nothing. */
  static start(naming: OperationNaming): OperationTimer | undefined {
    return naming.meter && new OperationTimer(naming);
  }

  private constructor(private readonly naming: OperationNaming) {}

  /** Sets the operation. Without one, a document that was rejected say, nothing is measured. */
  name(operation: OperationNode): void {
    this.operation = operation;
  }

  /** @param type the `error.type`; undefined if the operation has not failed */
  fail(type: string | undefined): void {
    this.failure ??= type;
  }

  /**
   * Ends the measurement.
   *
   * @param span the span that the exemplar leads to, which goes on: that of the request
   */
  end(span: Span | undefined): void {
    const { failure, naming, operation, stopwatch } = this;
    this.operation = undefined;
    if (!operation) return;
    const attributes = { ...measuredAttributes(operation, naming), ...(failure && { [ATTR_ERROR_TYPE]: failure }) };
    naming.meter?.record(stopwatch, attributes, span);
  }

  /** Ends the measurement of an operation that a request executes. */
  endIn(incoming: IncomingOperation): void {
    if (this.operation) this.fail(recordedFailure(incoming, this.operation));
    this.end(incoming.span);
  }
}

/** An operation that is an exchange of its own, because no request has brought it: it has the outcome of its root fields. */
export class OperationExchange implements IncomingExchange<CallOutcome> {
  /** @param measured the attributes by which the operation is measured */
  constructor(private readonly measured: Attributes) {}

  describeEnd(operation: Operation, outcome: CallOutcome): void {
    describeCallOutcome(operation, outcome);
  }

  measuredAttributes(outcome: CallOutcome): Attributes {
    return outcome.type === 'failed'
      ? { ...this.measured, [ATTR_ERROR_TYPE]: errorType(outcome.thrown) }
      : this.measured;
  }
}

/** Measures an operation from now to the end of its request, because its server does not say when the operation is over. */
export function measureUntilOver(incoming: IncomingOperation, operation: OperationNode, naming: OperationNaming): void {
  const timer = OperationTimer.start(naming);
  if (!timer || incoming.isOver) return;
  timer.name(operation);
  incoming.onOver(() => timer.endIn(incoming));
}
