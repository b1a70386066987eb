import { IncomingWork, type CallOutcome } from '../core/incoming-work.js';
import type { IncomingOperation } from '../core/incoming-operation.js';

/** The jobs of an application that run now. */
export class OpenJobs {
  readonly #works = new Set<JobWork>();

  add(work: JobWork): void {
    this.#works.add(work);
  }

  delete(work: JobWork): void {
    this.#works.delete(work);
  }

  /** Ends the spans of all jobs, because the application shuts down. The jobs themselves go on. */
  cancelAll(): void {
    for (const work of [...this.#works]) work.cancel();
  }
}

/** One run of a job, whose caller awaits its result and uses it for nothing else. */
export class JobWork extends IncomingWork {
  readonly isOnlyAwaited = true;

  constructor(
    incoming: IncomingOperation<CallOutcome>,
    private readonly open: OpenJobs,
  ) {
    super(incoming);
    if (!incoming.isOver) open.add(this);
  }

  protected override end(outcome: CallOutcome): void {
    this.release();
    super.end(outcome);
  }

  /** Releases the job, which is over. */
  protected release(): void {
    this.open.delete(this);
  }
}
