import { readFields } from './protobuf-fields.js';

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo';

/**
 * Reads the delay before another attempt, in milliseconds, from a `google.rpc.Status`: its field 3 holds details, each with a type
 * and a value; a `RetryInfo` has a duration in field 1. Undefined if there is none.
 */
export function readRetryDelay(status: Buffer): number | undefined {
  try {
    for (const detail of readFields(status)) {
      if (detail.number !== 3 || !detail.bytes) continue;
      const parts = readFields(detail.bytes);
      if (parts.find(({ number }) => number === 1)?.bytes?.toString() !== RETRY_INFO) continue;
      const duration = readFields(parts.find(({ number }) => number === 2)?.bytes ?? Buffer.alloc(0));
      const fields = readFields(duration.find(({ number }) => number === 1)?.bytes ?? Buffer.alloc(0));
      const valueOf = (wanted: number) => fields.find(({ number }) => number === wanted)?.value ?? 0;
      return valueOf(1) * 1000 + valueOf(2) / 1e6;
    }
  } catch {
    // It is no status.
  }
  return undefined;
}
