import type { SpanContext } from '@opentelemetry/api';

/** The number of prepared requests that may wait to be sent. */
const MAX_WAITING = 1024;

/**
 * Hands requests over from their client, which prepares them, to the diagnostics channel that announces them. Node 20 announces
 * a request only when its headers are written, and only the client can add headers before. A request is recognized by the id
 * of its span, which its headers carry.
 */
export class Handoff<Prepared extends object> {
  private readonly waiting = new Map<string, WeakRef<Prepared>>();
  /** Keeps each request alive as long as its holder. A request that is never sent is then collected with its holder. */
  private readonly holders = new WeakMap<object, Prepared>();

  /** @param holder the client's own object for the request */
  put(spanId: string, prepared: Prepared, holder: object): void {
    this.holders.set(holder, prepared);
    this.waiting.set(spanId, new WeakRef(prepared));
    const [oldest] = this.waiting.keys();
    if (oldest !== undefined && this.waiting.size > MAX_WAITING) this.waiting.delete(oldest);
  }

  /** Takes the request whose trace context a message carries. It is taken only once: a later message has a copied context. */
  take(carried: readonly SpanContext[]): Prepared | undefined {
    if (this.waiting.size === 0) return undefined;
    for (const { spanId } of carried) {
      const prepared = this.waiting.get(spanId)?.deref();
      this.waiting.delete(spanId);
      if (prepared) return prepared;
    }
    return undefined;
  }
}
