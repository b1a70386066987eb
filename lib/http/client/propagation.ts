import { defaultTextMapSetter, propagation, type Context } from '@opentelemetry/api';
import type { Headers } from './outgoing-message.js';

const BAGGAGE = 'baggage';

/** Writes a context into the headers of a message that carries none. Baggage that the application has put there stays. */
export function injectContext(message: Headers, context: Context): void {
  const headers = headersOf(context);
  if (message.header(BAGGAGE) !== undefined) delete headers[BAGGAGE];
  // A header that is there although no context can be read from it is malformed, or the part of one.
  const malformed = propagation.fields().filter((field) => field !== BAGGAGE && message.header(field) !== undefined);
  if (malformed.length > 0 && message.replaceHeaders(malformed, headers)) return;
  for (const [name, value] of Object.entries(headers)) {
    if (message.header(name) === undefined) message.setHeader(name, value);
  }
}

/** Puts a context in place of another one that a message carries. Returns false where that can no longer be done. */
export function replaceContext(message: Headers, context: Context): boolean {
  const headers = headersOf(context);
  const names = Object.keys(headers);
  // With no context of ours, the one that is there at least connects the trace.
  if (names.every((name) => name === BAGGAGE)) return false;
  const outdated = propagation.fields().filter((field) => field !== BAGGAGE || names.includes(BAGGAGE));
  return message.replaceHeaders([...outdated, ...names], headers);
}

/** Takes the context that a message carries out of its headers, baggage included. */
export function removeContext(message: Headers): void {
  message.replaceHeaders(propagation.fields(), {});
}

function headersOf(context: Context): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context, carrier, defaultTextMapSetter);
  return carrier;
}
