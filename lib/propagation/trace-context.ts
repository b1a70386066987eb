import { isSpanContextValid, trace, TraceFlags, type TextMapPropagator } from '@opentelemetry/api';
import { listHeader, singleHeader } from './carrier.js';
import { RANDOM_FLAG, withCaller, type Caller } from './caller.js';
import { parseHexByte, isId } from './parsing.js';
import { RANDOM, serializeTraceState, TraceState, traitsOf } from './trace-state.js';

const TRACEPARENT = 'traceparent';
const TRACESTATE = 'tracestate';

/** The length of `00-{trace id}-{span id}-{flags}`. */
const LENGTH = 55;
const FORBIDDEN_VERSION = 0xff;

/** Reads and writes the headers `traceparent` and `tracestate` of W3C Trace Context, level 2. */
export const traceContextPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = trace.getSpanContext(context);
    if (!span || !isSpanContextValid(span)) return;
    const sampled = span.traceFlags & TraceFlags.SAMPLED;
    const random = traitsOf(span) & RANDOM ? RANDOM_FLAG : span.traceFlags & RANDOM_FLAG;
    setter.set(carrier, TRACEPARENT, `00-${span.traceId}-${span.spanId}-0${sampled | random}`);
    const state = serializeTraceState(span.traceState);
    if (state) setter.set(carrier, TRACESTATE, state);
  },

  extract(context, carrier, getter) {
    const traceparent = singleHeader(carrier, getter, TRACEPARENT);
    const caller = traceparent && parseTraceparent(traceparent);
    if (!caller) return context;
    const state = listHeader(carrier, getter, TRACESTATE);
    return withCaller(context, caller, state ? new TraceState(state) : undefined);
  },

  fields: () => [TRACEPARENT, TRACESTATE],
};

function parseTraceparent(header: string): Caller | undefined {
  if (header.length < LENGTH || header[2] !== '-' || header[35] !== '-' || header[52] !== '-') return undefined;
  const version = parseHexByte(header, 0);
  if (version === undefined || version === FORBIDDEN_VERSION) return undefined;
  if (header.length > LENGTH && (version === 0 || !hasMoreFields(header))) return undefined;
  const traceId = header.slice(3, 35);
  const spanId = header.slice(36, 52);
  const flags = parseHexByte(header, 53);
  if (flags === undefined || !isId(traceId) || !isId(spanId)) return undefined;
  return {
    traceId,
    spanId,
    sampled: (flags & TraceFlags.SAMPLED) !== 0,
    traits: flags & RANDOM_FLAG ? RANDOM : 0,
  };
}

/** True if more fields follow, as a later version may define them. With a comma, the header has occurred twice. */
function hasMoreFields(header: string): boolean {
  return header[LENGTH] === '-' && !header.includes(',', LENGTH);
}
