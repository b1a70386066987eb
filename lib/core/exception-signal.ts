import type { Attributes, Span } from '@opentelemetry/api';

/** What takes exceptions as log records. */
export interface ExceptionSignal {
  /** True if an exception is also an event of its span. */
  readonly keepsEvents: boolean;
  emit(span: Span, attributes: Attributes): void;
}

let current: ExceptionSignal | undefined;

/** Sends exceptions to `signal` from now on, until the returned function is called. */
export function useExceptionSignal(signal: ExceptionSignal): () => void {
  current = signal;
  return () => {
    if (current === signal) current = undefined;
  };
}

/** Adds an exception to a span: as an event of it, as a log record, or as both. */
export function addException(span: Span, attributes: Attributes): void {
  const signal = current;
  if (!signal || signal.keepsEvents) span.addEvent('exception', attributes);
  signal?.emit(span, attributes);
}
