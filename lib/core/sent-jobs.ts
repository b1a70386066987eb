import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { errorType } from './exception.js';
import type { Exchange } from './exchange-operation.js';
import type { Operation } from './operation.js';

export type SendOutcome = 'complete' | { readonly error: unknown };

/** The sending of jobs to a queue. Of an error only the type is recorded, since the message may quote values. */
export class SentJobs implements Exchange<SendOutcome> {
  /** @param attributes the attributes by which the sending is measured */
  constructor(private readonly attributes: Attributes) {}

  describeEnd({ span }: Operation, outcome: SendOutcome): void {
    if (outcome === 'complete') return;
    span.setAttribute(ATTR_ERROR_TYPE, errorType(outcome.error));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  measuredAttributes(outcome: SendOutcome): Attributes {
    if (outcome === 'complete') return this.attributes;
    return { ...this.attributes, [ATTR_ERROR_TYPE]: errorType(outcome.error) };
  }
}
