import { randomFillSync } from 'node:crypto';
import type { SpanContext } from '@opentelemetry/api';

/** Random bytes are drawn in bulk: a draw costs more than the bytes do. */
const pool = Buffer.allocUnsafe(8192);
let drawn = pool.length;

function randomHex(bytes: number): string {
  if (drawn + bytes > pool.length) {
    randomFillSync(pool);
    drawn = 0;
  }
  const hex = pool.toString('hex', drawn, drawn + bytes);
  drawn += bytes;
  // All zeros is the one value that W3C Trace Context calls invalid.
  return /[1-9a-f]/.test(hex) ? hex : randomHex(bytes);
}

/** Random ids, as W3C Trace Context wants them; or for one span the ids that it has been given out under. */
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

  /** Has the first span that is started inside `start` carry these ids: a sampler or processor may start more. */
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
