import type { Attributes, Context } from '@opentelemetry/api';
import { callIn } from './context-manager.js';
import { guarded } from './diagnostics.js';
import type { Operation } from './operation.js';

/** A unit of work that is followed to its end. Ending is idempotent: the first outcome wins. Nothing here throws. */
export interface Work {
  /** The context in which the work is done; undefined where that is the caller's. */
  readonly context: Context | undefined;
  /** True where a Subject that the work brings is subscribed to and not written to, so that it is followed as well. */
  readonly followsSubjects?: boolean | undefined;
  /** The work begins now: what it was started for turned out to be a source that is only now subscribed to. */
  restart(): void;
  /** The work is over, with this result. */
  succeeded(result: unknown): void;
  failed(thrown: unknown): void;
  /** The work is over, because its consumer no longer wants the result. */
  left(): void;
}

/** Calls a function as a part of a work. */
export function callWithin(
  { context }: Pick<Work, 'context'>,
  fn: (this: unknown, ...args: unknown[]) => unknown,
  thisArg: unknown,
  args: readonly unknown[],
): unknown {
  return context === undefined ? Reflect.apply(fn, thisArg, args) : callIn(context, fn, thisArg, args);
}

export interface OutcomeOptions {
  /** Attributes of the value that was returned, resolved, or emitted last. */
  readonly onResult?: ((result: unknown) => Attributes | undefined) | undefined;
  /** The function that `onResult` belongs to, for reports of what it throws. */
  readonly owner?: string | undefined;
  /** False where the message and stack of an exception may not be recorded. @default true */
  readonly details?: boolean | undefined;
  readonly followsSubjects?: boolean | undefined;
}

const DEFAULTS: OutcomeOptions = {};

/** The work of an operation, which ends as the work turns out. */
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

  restart(): void {
    this.operation.restart();
  }

  succeeded(result: unknown): void {
    const { onResult, owner } = this.options;
    if (onResult) this.operation.describe(`The onResult function of ${owner ?? 'a span'}`, () => onResult(result));
    this.operation.end();
  }

  failed(thrown: unknown): void {
    guarded('Recording a failure', () => this.operation.fail(thrown, this.options.details));
    this.operation.end();
  }

  left(): void {
    this.operation.end();
  }
}
