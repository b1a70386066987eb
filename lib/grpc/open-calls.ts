import { setImmediate } from 'node:timers/promises';

/** A call that is being served. */
interface OpenCall {
  /** Checks whether the caller is still there. A call whose caller is gone learns of it at once. */
  checkCancelled(): void;
  endAsCancelled(): void;
}

/** The calls that a server is serving, so that none is lost when the application ends. */
export class OpenCalls {
  private readonly calls = new Set<OpenCall>();

  opened(call: OpenCall): void {
    this.calls.add(call);
  }

  ended(call: OpenCall): void {
    this.calls.delete(call);
  }

  /** Ends what is open. The transports are closed by now, but calls hear of that only later. */
  async end(): Promise<void> {
    if (this.calls.size === 0) return;
    for (const call of this.calls) call.checkCancelled();
    await setImmediate();
    for (const call of this.calls) call.endAsCancelled();
  }
}
