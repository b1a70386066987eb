/** Returns the name of an event as a text. An event is a text, a symbol, or a list of them: the segments of its name. */
export function eventNameOf(event: unknown): string | undefined {
  if (typeof event === 'string') return event || undefined;
  if (typeof event === 'symbol') return String(event);
  return Array.isArray(event) ? event.map(String).join('.') : undefined;
}
