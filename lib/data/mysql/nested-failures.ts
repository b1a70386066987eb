import { callSafely } from '../../core/diagnostics.js';

/** A failure that is about to be reported. */
interface Failure {
  readonly error: unknown;
  report: () => void;
}

/**
 * Reports a failure of several nested calls once, on behalf of the outermost one. If a connection is given up, its pool asks for another one on behalf
 * of a waiter, within the call of the holder: that inner call has the context of the holder, and fails with the error of the waiter.
 */
export class NestedFailures {
  #last: Failure | undefined;

  /** Reports a failure when the calls around it have failed with the same error, which they do at once. */
  report(error: unknown, report: () => void): void {
    const last = this.#last;
    if (last && last.error === error) {
      last.report = report;
      return;
    }
    const failure: Failure = { error, report };
    this.#last = failure;
    queueMicrotask(() => {
      if (this.#last === failure) this.#last = undefined;
      callSafely('Tracing a connection of mysql2', () => failure.report());
    });
  }
}
