import { isSpanContextValid, trace, TraceFlags, type TextMapPropagator } from '@opentelemetry/api';
import { listHeader, oneHeader } from './carrier.js';
import { RANDOM_FLAG, withCaller, type Caller } from './caller.js';
import { hexByte, isId } from './text.js';
import { RANDOM, stateText, TraceState, traitsOf } from './trace-state.js';

const TRACEPARENT = 'traceparent';
const TRACESTATE = 'tracestate';

/** Of `00-{trace id}-{span id}-{flags}`. */
const LENGTH = 55;
const FORBIDDEN_VERSION = 0xff;

/** The headers `traceparent` and `tracestate` of W3C Trace Context, level 2. */
export const traceContextPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = trace.getSpanContext(context);
    if (!span || !isSpanContextValid(span)) return;
    const sampled = span.traceFlags & TraceFlags.SAMPLED;
    const random = traitsOf(span) & RANDOM ? RANDOM_FLAG : span.traceFlags & RANDOM_FLAG;
    setter.set(carrier, TRACEPARENT, `00-${span.traceId}-${span.spanId}-0${sampled | random}`);
    const state = stateText(span.traceState);
    if (state) setter.set(carrier, TRACESTATE, state);
  },

  extract(context, carrier, getter) {
    const traceparent = oneHeader(carrier, getter, TRACEPARENT);
    const caller = traceparent && parseTraceparent(traceparent);
    if (!caller) return context;
    const state = listHeader(carrier, getter, TRACESTATE);
    return withCaller(context, caller, state ? new TraceState(state) : undefined);
  },

  fields: () => [TRACEPARENT, TRACESTATE],
};

function parseTraceparent(text: string): Caller | undefined {
  if (text.length < LENGTH || text[2] !== '-' || text[35] !== '-' || text[52] !== '-') return undefined;
  const version = hexByte(text, 0);
  if (version === undefined || version === FORBIDDEN_VERSION) return undefined;
  if (text.length > LENGTH && (version === 0 || !isContinued(text))) return undefined;
  const traceId = text.slice(3, 35);
  const spanId = text.slice(36, 52);
  const flags = hexByte(text, 53);
  if (flags === undefined || !isId(traceId) || !isId(spanId)) return undefined;
  return {
    traceId,
    spanId,
    sampled: (flags & TraceFlags.SAMPLED) !== 0,
    traits: flags & RANDOM_FLAG ? RANDOM : 0,
  };
}

/** Whether more fields follow, as in versions to come; after a comma it would be a header that came twice. */
function isContinued(text: string): boolean {
  return text[LENGTH] === '-' && !text.includes(',', LENGTH);
}
