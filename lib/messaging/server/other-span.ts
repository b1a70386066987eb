import { SpanKind, trace, type Context, type Span, type SpanContext } from '@opentelemetry/api';

/**
 * Returns the span that another instrumentation, of the driver say, has started for a message: the active one when the driver delivers the
 * message, if it is the span of a consumer in the trace of the sender. Undefined if there is none.
 */
export function otherSpanFor(outer: Context, sender: SpanContext | undefined): Span | undefined {
  const span: SdkSpan | undefined = trace.getSpan(outer);
  if (!span?.isRecording() || span.kind !== SpanKind.CONSUMER || !sender) return undefined;
  const isBelow = span.spanContext().traceId === sender.traceId;
  return isBelow || span.links?.some(({ context }) => context.spanId === sender.spanId) ? span : undefined;
}

/** A span of the SDK, whose properties the API does not declare. */
interface SdkSpan extends Span {
  readonly kind?: SpanKind;
  readonly links?: readonly { readonly context: SpanContext }[];
}
