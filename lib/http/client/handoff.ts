import type { SpanContext } from '@opentelemetry/api';

const MAX_AWAITED = 1024;

/**
 * Requests whose span was made before they were sent, by the id of that span, which their headers carry. Node 20 announces a
 * request when its headers are written, and only its client can add to them before.
 */
export class Handoff<Prepared extends object> {
  private readonly awaited = new Map<string, WeakRef<Prepared>>();
  /** Holds each as long as what it is made of lives: a request that is never sent then leaves nothing behind. */
  private readonly holders = new WeakMap<object, Prepared>();

  /** @param holder the client's own object for the request */
  put(spanId: string, prepared: Prepared, holder: object): void {
    this.holders.set(holder, prepared);
    this.awaited.set(spanId, new WeakRef(prepared));
    const [oldest] = this.awaited.keys();
    if (oldest !== undefined && this.awaited.size > MAX_AWAITED) this.awaited.delete(oldest);
  }

  /** The request whose trace context a message carries. Each is taken once: what carries the same later is a copy. */
  take(carried: readonly SpanContext[]): Prepared | undefined {
    if (this.awaited.size === 0) return undefined;
    for (const { spanId } of carried) {
      const found = this.awaited.get(spanId)?.deref();
      this.awaited.delete(spanId);
      if (found) return found;
    }
    return undefined;
  }
}
