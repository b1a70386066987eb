import type { Attributes, Context } from '@opentelemetry/api';
import { callInContext } from './context-manager.js';
import { callSafely } from './diagnostics.js';
import type { Operation } from './operation.js';

/**
 * One call that is observed until its result is known: for an operation, or for a measurement alone. Ending is idempotent: the first
 * outcome wins. No method throws.
 */
export interface Work {
  /** The context that the call runs in. Undefined if that is the context of the caller. */
  readonly context: Context | undefined;
  /** True if a Subject that the call returns is only subscribed to and never written to, so that it is followed like any Observable. */
  readonly followsSubjects?: boolean | undefined;
  /**
   * True if the caller only awaits what the call returns: an Observable is not subscribed to, and a generator is not iterated, so that the
   * work ends with the call.
   */
  readonly isOnlyAwaited?: boolean | undefined;
  /** False if the work ends with the call that returns a generator, rather than with the generator. @default true */
  readonly followsGenerators?: boolean | undefined;
  /** Receives each value that the Observable of the call emits. */
  receive?(value: unknown): void;
  /** Moves the start to now: the call has returned a cold Observable, which is subscribed to only now. */
  restart(): void;
  /** Ends the work with its result. */
  succeed(result: unknown): void;
  /** Ends the work with the exception that it failed with. */
  fail(thrown: unknown): void;
  /** Ends the work without a result, because the Observable has completed without a value. */
  complete(): void;
  /** Ends the work without a result, because the consumer has unsubscribed or has stopped to iterate. */
  cancel(): void;
}

/** Calls a function in the context of a work. */
export function callInWork(
  { context }: Pick<Work, 'context'>,
  fn: (this: unknown, ...args: unknown[]) => unknown,
  thisArg: unknown,
  args: readonly unknown[],
): unknown {
  return context === undefined ? Reflect.apply(fn, thisArg, args) : callInContext(context, fn, thisArg, args);
}

export interface OutcomeOptions {
  /** Returns attributes of the value that was returned, resolved, or emitted last. */
  readonly onResult?: ((result: unknown) => Attributes | undefined) | undefined;
  /** The name of the decorated function, for the report of an error that `onResult` throws. */
  readonly functionName?: string | undefined;
  /** False if the message and the stack of an exception must not be recorded. @default true */
  readonly mayRecordDetails?: boolean | undefined;
  readonly followsSubjects?: boolean | undefined;
  readonly followsGenerators?: boolean | undefined;
  readonly isOnlyAwaited?: boolean | undefined;
}

const DEFAULTS: OutcomeOptions = {};

/** The work that an operation observes. Its outcome ends the operation. */
export class TracedWork implements Work {
  constructor(
    readonly operation: Operation,
    private readonly options: OutcomeOptions = DEFAULTS,
  ) {}

  get context(): Context {
    return this.operation.context;
  }

  get followsSubjects(): boolean | undefined {
    return this.options.followsSubjects;
  }

  get followsGenerators(): boolean | undefined {
    return this.options.followsGenerators;
  }

  get isOnlyAwaited(): boolean | undefined {
    return this.options.isOnlyAwaited;
  }

  restart(): void {
    this.operation.restart();
  }

  succeed(result: unknown): void {
    const { onResult, functionName } = this.options;
    if (onResult)
      this.operation.describe(`The onResult function of ${functionName ?? 'a span'}`, () => onResult(result));
    this.operation.end();
  }

  fail(thrown: unknown): void {
    callSafely('Recording a failure', () => this.operation.fail(thrown, this.options.mayRecordDetails));
    this.operation.end();
  }

  complete(): void {
    this.operation.end();
  }

  cancel(): void {
    this.operation.end();
  }
}
