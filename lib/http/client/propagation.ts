import { defaultTextMapSetter, propagation, type Context } from '@opentelemetry/api';
import type { Headers } from './outgoing-message.js';

const BAGGAGE = 'baggage';

/** Injects a context into a message that carries none. Baggage that the application has set stays. */
export function injectContext(message: Headers, context: Context): void {
  const headers = contextHeaders(context);
  if (message.header(BAGGAGE) !== undefined) delete headers[BAGGAGE];
  // The message carries no readable context, so such a header is malformed or incomplete.
  const malformed = propagation.fields().filter((field) => field !== BAGGAGE && message.header(field) !== undefined);
  if (malformed.length > 0 && message.replaceHeaders(malformed, headers)) return;
  for (const [name, value] of Object.entries(headers)) {
    if (message.header(name) === undefined) message.setHeader(name, value);
  }
}

/** Replaces the context that a message carries. Returns false if that is no longer possible. */
export function replaceContext(message: Headers, context: Context): boolean {
  const headers = contextHeaders(context);
  const names = Object.keys(headers);
  // There is no trace context to inject. The outdated one at least connects the trace.
  if (names.every((name) => name === BAGGAGE)) return false;
  const outdated = propagation.fields().filter((field) => field !== BAGGAGE || names.includes(BAGGAGE));
  return message.replaceHeaders([...outdated, ...names], headers);
}

/** Removes the context that a message carries, baggage included. */
export function removeContext(message: Headers): void {
  message.replaceHeaders(propagation.fields(), {});
}

function contextHeaders(context: Context): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagation.inject(context, carrier, defaultTextMapSetter);
  return carrier;
}
