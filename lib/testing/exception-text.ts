import { ATTR_EXCEPTION_MESSAGE, ATTR_EXCEPTION_TYPE } from '@opentelemetry/semantic-conventions';
import type { SpanSnapshot } from './span-snapshot.js';

/** Returns the first exception that a span has recorded, as `Type: message`. Undefined if it has recorded none. */
export function exceptionOf({ events }: SpanSnapshot): string | undefined {
  const event = events.find(({ name }) => name === 'exception');
  if (!event) return undefined;
  const { [ATTR_EXCEPTION_MESSAGE]: message, [ATTR_EXCEPTION_TYPE]: type } = event.attributes;
  return [type, message].filter((part) => part !== undefined && part !== '').join(': ');
}
