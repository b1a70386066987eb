import { setImmediate } from 'node:timers/promises';

/** A call that is served and has not ended. */
interface OpenCall {
  /** Makes grpc-js check whether the client has cancelled the call, which then ends it. */
  checkCancelled(): void;
  /** Ends the span of the call, as cancelled unless its status has been sent. */
  endAsCancelled(): void;
}

/** The calls that are being served, so that the spans of all of them end before the application does. */
export class OpenCalls {
  private readonly calls = new Set<OpenCall>();

  add(call: OpenCall): void {
    this.calls.add(call);
  }

  delete(call: OpenCall): void {
    this.calls.delete(call);
  }

  /** Ends the calls that are still open. The transports are closed already, but grpc-js reports that to the calls only later. */
  async drain(): Promise<void> {
    if (this.calls.size === 0) return;
    for (const call of this.calls) call.checkCancelled();
    await setImmediate();
    for (const call of this.calls) call.endAsCancelled();
  }
}
