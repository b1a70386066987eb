import type { Attributes } from '@opentelemetry/api';
import type { Operation } from './operation.js';

/** The two ways in which an operation comes to its end. */
export interface Outcome {
  succeeded(result: unknown): void;
  failed(thrown: unknown): void;
}

export interface OutcomeOptions {
  /** Attributes of the value that was returned, resolved, or emitted last. */
  onResult?: ((result: unknown) => Attributes | undefined) | undefined;
  /** Whose `onResult` it is, for reports of what it throws. */
  owner?: string | undefined;
  /** Whether the message and stack of an exception may be recorded. @default true */
  details?: boolean | undefined;
}

/** Ends `operation` as its work turns out. */
export function outcomeOf(operation: Operation, { onResult, owner, details }: OutcomeOptions): Outcome {
  return {
    succeeded(result) {
      if (onResult) operation.describe(`The onResult function of ${owner ?? 'a span'}`, () => onResult(result));
      operation.end();
    },
    failed(thrown) {
      operation.fail(thrown, details);
      operation.end();
    },
  };
}
