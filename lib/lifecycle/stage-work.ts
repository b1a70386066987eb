import type { Context } from '@opentelemetry/api';
import type { Operation } from '../core/operation.js';
import { TracedWork, type Work } from '../core/work.js';
import { ATTR_GUARD_REJECTED } from './attributes.js';
import type { Stage } from './stage.js';

/** One call of a guard, an interceptor, a pipe or a filter. */
export class StageWork implements Work {
  /** Nest subscribes to what guards and interceptors return, and awaits what pipes and filters return. */
  readonly isOnlyAwaited: boolean;
  readonly followsSubjects = true;
  private readonly traced: TracedWork;

  constructor(
    private readonly stage: Stage,
    private readonly operation: Operation,
  ) {
    this.isOnlyAwaited = stage.kind === 'pipe' || stage.kind === 'filter';
    this.traced = new TracedWork(operation);
  }

  get context(): Context {
    return this.traced.context;
  }

  /** What an interceptor does before it returns an Observable belongs to its span. */
  restart(): void {}

  succeed(result: unknown): void {
    if (this.stage.kind === 'guard' && !result) {
      this.operation.describe('The result of a guard', () => ({ [ATTR_GUARD_REJECTED]: true }));
    }
    this.traced.succeed(result);
  }

  complete(): void {
    this.traced.complete();
  }

  fail(thrown: unknown): void {
    this.traced.fail(thrown);
  }

  cancel(): void {
    this.traced.cancel();
  }
}
