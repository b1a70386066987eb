import { setImmediate } from 'node:timers/promises';

/** A call that is being served. */
interface OpenCall {
  /** Looks whether the caller is still there; one that is gone learns of it at once. */
  look(): void;
  abandon(): void;
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
    for (const call of this.calls) call.look();
    await setImmediate();
    for (const call of this.calls) call.abandon();
  }
}
