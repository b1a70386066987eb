import { setImmediate } from 'node:timers/promises';

/** A call that is served, and has not ended. */
interface OpenCall {
  /** Asks grpc-js whether the caller has cancelled, which then ends the call. */
  checkCancelled(): void;
  endAsCancelled(): void;
}

/** The calls that a server is serving, so that none is lost when the application ends. */
export class OpenCalls {
  private readonly calls = new Set<OpenCall>();

  add(call: OpenCall): void {
    this.calls.add(call);
  }

  delete(call: OpenCall): void {
    this.calls.delete(call);
  }

  /** Ends the calls that are still open. The transports are closed by now, but grpc-js reports that to calls only later. */
  async drain(): Promise<void> {
    if (this.calls.size === 0) return;
    for (const call of this.calls) call.checkCancelled();
    await setImmediate();
    for (const call of this.calls) call.endAsCancelled();
  }
}
