import type { Context } from '@opentelemetry/api';
import { hideOwnFrames } from '../failure.js';
import { withStoredMetadata } from './job-contexts.js';
import type { JobSpan } from './job-telemetry.js';

/** The span of an operation that is not recorded. */
export class UnrecordedSpan implements JobSpan {
  /**
   * @param metadata returns what is stored with a job, in a context
   * @param enter returns the context of the operation in that of its caller
   */
  constructor(
    private readonly metadata: (context: Context) => string,
    private readonly enter = (caller: Context): Context => caller,
  ) {}

  setSpanOnContext(context: Context): Context {
    return withStoredMetadata(this.enter(context), () => this.metadata(context));
  }

  setAttribute(): void {}

  setAttributes(): void {}

  addEvent(): void {}

  recordException(error: unknown): void {
    hideOwnFrames(error);
  }

  end(): void {}
}
