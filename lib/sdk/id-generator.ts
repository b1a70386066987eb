import { randomFillSync } from 'node:crypto';
import type { SpanContext } from '@opentelemetry/api';

/** Random bytes, drawn in bulk, because a draw costs more than its bytes. */
const pool = Buffer.allocUnsafe(8192);
let used = pool.length;

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const hex = pool.toString('hex', used, used + bytes);
  used += bytes;
  // An id of zeros only is invalid in W3C Trace Context.
  return /[1-9a-f]/.test(hex) ? hex : randomHex(bytes);
}

/** Generates random ids, and for one span the ids that were handed out before the span was started. */
export class PresetIdGenerator {
  private traceId: string | undefined;
  private spanId: string | undefined;

  generateTraceId = (): string => {
    const preset = this.traceId;
    this.traceId = undefined;
    return preset ?? randomHex(16);
  };

  generateSpanId = (): string => {
    const preset = this.spanId;
    this.spanId = undefined;
    return preset ?? randomHex(8);
  };

  /** Gives these ids to the first span that is started in `start`, in which samplers and processors may start more spans. */
  withIds<T>(ids: SpanContext, start: () => T): T {
    this.traceId = ids.traceId;
    this.spanId = ids.spanId;
    try {
      return start();
    } finally {
      this.traceId = undefined;
      this.spanId = undefined;
    }
  }
}
