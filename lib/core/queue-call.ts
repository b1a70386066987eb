import { SpanStatusCode, type Attributes } from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { errorType } from './exception.js';
import type { Exchange } from './exchange-operation.js';
import type { Operation } from './operation.js';

export type QueueCallOutcome = 'complete' | { readonly error: unknown };

/** A call that adds jobs to a queue, or takes one. Of an error only the type is recorded, since the message may quote values. */
export class QueueCall implements Exchange<QueueCallOutcome> {
  /** @param attributes the attributes by which the call is measured */
  constructor(private readonly attributes: Attributes) {}

  describeEnd({ span }: Operation, outcome: QueueCallOutcome): void {
    if (outcome === 'complete') return;
    span.setAttribute(ATTR_ERROR_TYPE, errorType(outcome.error));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  measuredAttributes(outcome: QueueCallOutcome): Attributes {
    if (outcome === 'complete') return this.attributes;
    return { ...this.attributes, [ATTR_ERROR_TYPE]: errorType(outcome.error) };
  }
}
