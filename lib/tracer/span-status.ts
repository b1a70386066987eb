import { SpanStatusCode, type SpanStatus } from '@opentelemetry/api';
import { cutText } from '../core/cut-text.js';
import { withoutQuotedErrors } from './exception-attributes.js';

export const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });

/** Returns a status as a span keeps it. Undefined for one that changes nothing: an unset one, or none at all. */
export function toStatus(given: SpanStatus | undefined, maxLength: number): SpanStatus | undefined {
  const { code, message } = given ?? UNSET;
  if (code === SpanStatusCode.OK) return { code };
  if (code !== SpanStatusCode.ERROR) return undefined;
  return typeof message === 'string' ? { code, message: cutText(withoutQuotedErrors(message), maxLength) } : { code };
}
