import { Buffer } from 'node:buffer';
import type { TextMapGetter } from '@opentelemetry/api';

/** The headers of a message: what a broker has delivered, so they may be anything. */
export type Headers = object;

/**
 * Lets propagators extract a trace context from headers that are properties: texts, bytes, or lists of them. Only own properties count, and
 * only those whose values are data.
 */
export const headersGetter: TextMapGetter<Headers | undefined> = {
  keys: (headers) => (headers ? Object.keys(headers) : []),
  get(headers, key) {
    const value = headers && findValue(headers, key);
    if (!Array.isArray(value)) return textOf(value);
    const texts = value.map(textOf).filter((text) => text !== undefined);
    return texts.length > 1 ? texts : texts[0];
  },
};

/** Returns a header by its name in any case: peers in other languages may write `Traceparent`. */
function findValue(headers: Headers, key: string): unknown {
  const exact = Object.getOwnPropertyDescriptor(headers, key);
  if (exact) return exact.value;
  const name = Object.keys(headers).find((each) => each.length === key.length && each.toLowerCase() === key);
  return name === undefined ? undefined : Object.getOwnPropertyDescriptor(headers, name)?.value;
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('latin1') : undefined;
}
