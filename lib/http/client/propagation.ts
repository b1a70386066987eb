import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Context,
} from '@opentelemetry/api';

/** The headers of a message. */
export interface Headers {
  header(name: string): string | string[] | undefined;
  setHeader(name: string, value: string): void;
}

/** Whose trace context a message carries already. */
export type Carried = 'none' | 'ours' | "somebody else's";

/** Client spans of ours whose context went into a message, as many as may still be copied from there. */
const injected = new Set<string>();
const MAX_INJECTED = 1024;

/**
 * Looks whether a message carries a trace context, by the headers of the registered propagator. That of the caller's own
 * span was put there by the application, and that of an earlier request by a client that copies headers when it is
 * redirected. Any other is that of a span that somebody else has made for this message.
 */
export function carriedContext(message: Headers, caller: Context): Carried {
  let carrier: Record<string, string | string[]> | undefined;
  for (const field of propagation.fields()) {
    const value = message.header(field);
    if (value !== undefined) (carrier ??= {})[field] = value;
  }
  if (!carrier) return 'none';
  const carried = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter));
  if (!carried) return 'none';
  if (injected.has(carried.spanId)) return 'ours';
  const span = trace.getSpan(caller);
  const own = span?.spanContext();
  if (own?.spanId !== carried.spanId || own.traceId !== carried.traceId) return "somebody else's";
  // Instrumentations that wrap a client make their own span the active one while they call it.
  return (span as { kind?: SpanKind }).kind === SpanKind.CLIENT ? "somebody else's" : 'ours';
}

/** Writes a context into the headers of a message, leaving those that it has. */
export function injectContext(message: Headers, context: Context): void {
  const carrier: Record<string, string> = {};
  propagation.inject(context, carrier, defaultTextMapSetter);
  for (const [name, value] of Object.entries(carrier)) {
    if (message.header(name) === undefined) message.setHeader(name, value);
  }
}

/** Remembers that a message was given the context of its own client span. */
export function noteInjected(context: Context): void {
  const spanId = trace.getSpanContext(context)?.spanId;
  if (spanId === undefined) return;
  injected.add(spanId);
  const [oldest] = injected;
  if (oldest !== undefined && injected.size > MAX_INJECTED) injected.delete(oldest);
}
