import type { Context } from '@opentelemetry/api';
import type { IncomingExchange, IncomingOperation } from './incoming-operation.js';
import type { Operation } from './operation.js';
import type { Work } from './work.js';

/** The outcome of an exchange that is served by the call of one function: of a message, a job, an event. */
export type CallOutcome =
  | { readonly type: 'returned' }
  | { readonly type: 'failed'; readonly thrown: unknown }
  /** The consumer of the result has unsubscribed before there was one, or the application shuts down. */
  | { readonly type: 'cancelled' };

export const RETURNED: CallOutcome = { type: 'returned' };
export const CANCELLED: CallOutcome = { type: 'cancelled' };

/** Sets the status of the span of such an exchange, and records the exception that it failed with. */
export function describeCallOutcome(operation: Operation, outcome: CallOutcome): void {
  if (outcome.type === 'failed') operation.fail(outcome.thrown);
}

/** An exchange that has the outcome of its call, and is not measured. */
export const UNMEASURED_CALL: IncomingExchange<CallOutcome> = {
  describeEnd: describeCallOutcome,
  measuredAttributes: () => ({}),
};

/** The call that serves an incoming exchange. The result of the call ends the exchange. */
export class IncomingWork implements Work {
  /** The caller only subscribes to the Observable that is returned. */
  readonly followsSubjects = true;

  constructor(readonly incoming: IncomingOperation<CallOutcome>) {}

  get context(): Context {
    return this.incoming.context;
  }

  /** The exchange has started when it arrived, also if the call returns a cold Observable. */
  restart(): void {}

  succeed(): void {
    this.end(RETURNED);
  }

  complete(): void {
    this.end(RETURNED);
  }

  fail(thrown: unknown): void {
    this.end({ type: 'failed', thrown });
  }

  cancel(): void {
    this.end(CANCELLED);
  }

  protected end(outcome: CallOutcome): void {
    this.incoming.end(outcome);
  }
}
