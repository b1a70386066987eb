import {
  baggageEntryMetadataFromString,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  trace,
  type BaggageEntry,
  type Context,
  type SpanContext,
  type TextMapPropagator,
} from '@opentelemetry/api';

export const TRACE = '0af7651916cd43dd8448eb211c80319c';
export const SPAN = 'b7ad6b7169203331';

export type Headers = Record<string, unknown>;

/** Returns the context that a propagator extracts from headers. */
export function read(propagator: TextMapPropagator, headers: Headers, within: Context = ROOT_CONTEXT): Context {
  return propagator.extract(within, headers, defaultTextMapGetter);
}

/** Returns the headers that a propagator writes. */
export function write(propagator: TextMapPropagator, context: Context): Record<string, string> {
  const carrier: Record<string, string> = {};
  propagator.inject(context, carrier, defaultTextMapSetter);
  return carrier;
}

/** Returns `trace id-span id-flags`, or `none`. */
export function callerIn(context: Context): string {
  const span = trace.getSpanContext(context);
  return span ? `${span.traceId}-${span.spanId}-${span.traceFlags}` : 'none';
}

export function stateIn(context: Context): string {
  return trace.getSpanContext(context)?.traceState?.serialize() ?? '';
}

/** Returns entries as `[key, value]`, or `[key, value, properties]` if they have properties. */
export function baggageIn(context: Context): string[][] {
  const entries = propagation.getBaggage(context)?.getAllEntries() ?? [];
  return entries.map(([key, { value, metadata }]) => [key, value].concat(metadata ? [metadata.toString()] : []));
}

/** Returns a context with baggage of `[key, value, properties?]`. */
export function withBaggage(
  entries: readonly (readonly [key: string, value: unknown, properties?: string])[],
  within: Context = ROOT_CONTEXT,
): Context {
  const baggage = entries.map(([key, value, properties]) => {
    const metadata = properties === undefined ? {} : { metadata: baggageEntryMetadataFromString(properties) };
    return [key, { value, ...metadata } as BaggageEntry] as const;
  });
  return propagation.setBaggage(within, propagation.createBaggage(Object.fromEntries(baggage)));
}

export function withSpan(span: Partial<SpanContext> = {}, within: Context = ROOT_CONTEXT): Context {
  return trace.setSpanContext(within, { traceId: TRACE, spanId: SPAN, traceFlags: 1, ...span });
}
