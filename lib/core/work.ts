import type { Attributes } from '@opentelemetry/api';
import type { Operation } from './operation.js';

/** A unit of work that is followed to its end. What is said of the end first counts; it may be said again. */
export interface Work {
  /** Calls `fn` as a part of the work. */
  run<T>(fn: () => T): T;
  /** It is over, and brought this. */
  succeeded(result: unknown): void;
  failed(thrown: unknown): void;
  /** It is over, and whoever wanted its result no longer does. */
  left(): void;
}

export interface OutcomeOptions {
  /** Attributes of the value that was returned, resolved, or emitted last. */
  readonly onResult?: ((result: unknown) => Attributes | undefined) | undefined;
  /** Whose `onResult` it is, for reports of what it throws. */
  readonly owner?: string | undefined;
  /** Whether the message and stack of an exception may be recorded. @default true */
  readonly details?: boolean | undefined;
}

const NOTHING_TO_SAY: OutcomeOptions = {};

/** The work of an operation, which ends as the work turns out. */
export class TracedWork implements Work {
  constructor(
    readonly operation: Operation,
    private readonly options: OutcomeOptions = NOTHING_TO_SAY,
  ) {}

  run<T>(fn: () => T): T {
    return this.operation.run(fn);
  }

  succeeded(result: unknown): void {
    const { onResult, owner } = this.options;
    if (onResult) this.operation.describe(`The onResult function of ${owner ?? 'a span'}`, () => onResult(result));
    this.operation.end();
  }

  failed(thrown: unknown): void {
    this.operation.fail(thrown, this.options.details);
    this.operation.end();
  }

  left(): void {
    this.operation.end();
  }
}
