import type { Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { errorType } from '../core/exception.js';
import type { IncomingExchange } from '../core/incoming-operation.js';
import { describeCallOutcome, type CallOutcome } from '../core/incoming-work.js';
import type { Operation } from '../core/operation.js';

/** One run of a job: its span has the outcome of the call that runs it. */
export class JobExchange implements IncomingExchange<CallOutcome> {
  /** @param attributes the attributes by which the run is measured */
  constructor(private readonly attributes: Attributes) {}

  describeEnd(operation: Operation, outcome: CallOutcome): void {
    describeCallOutcome(operation, outcome);
  }

  measuredAttributes(outcome: CallOutcome): Attributes {
    if (outcome.type !== 'failed') return this.attributes;
    return { ...this.attributes, [ATTR_ERROR_TYPE]: errorType(outcome.thrown) };
  }
}
