import {
  isSpanContextValid,
  trace,
  TraceFlags,
  type Context,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
} from '@opentelemetry/api';
import { singleHeader } from './carrier.js';
import { withCaller } from './caller.js';
import { isId } from './parsing.js';
import { withSamplingRequest } from './sampling-request.js';
import { DEBUG, traitsOf, UNDECIDED } from './trace-state.js';

const B3 = 'b3';
const TRACE_ID = 'x-b3-traceid';
const SPAN_ID = 'x-b3-spanid';
const PARENT_SPAN_ID = 'x-b3-parentspanid';
const SAMPLED = 'x-b3-sampled';
const FLAGS = 'x-b3-flags';

/** The sampling state of b3: deny, accept or debug. Undefined if the caller leaves the decision to the receiver. */
type SamplingState = '0' | '1' | 'd' | undefined;

/** Writes the header `b3`. Reads it, or else the headers `X-B3-*`. */
export const b3Propagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = validSpanContext(context);
    if (!span) return;
    const state = samplingStateOf(span);
    setter.set(carrier, B3, `${span.traceId}-${span.spanId}${state === undefined ? '' : `-${state}`}`);
  },
  extract,
  fields: () => [B3],
};

/** Writes the headers `X-B3-*`. Reads the header `b3`, or else the headers `X-B3-*`. */
export const b3MultiPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = validSpanContext(context);
    if (!span) return;
    setter.set(carrier, TRACE_ID, span.traceId);
    setter.set(carrier, SPAN_ID, span.spanId);
    const state = samplingStateOf(span);
    if (state === 'd') setter.set(carrier, FLAGS, '1');
    else if (state !== undefined) setter.set(carrier, SAMPLED, state);
  },
  extract,
  fields: () => [TRACE_ID, SPAN_ID, SAMPLED, FLAGS, PARENT_SPAN_ID],
};

function validSpanContext(context: Context): SpanContext | undefined {
  const span = trace.getSpanContext(context);
  return span && isSpanContextValid(span) ? span : undefined;
}

function samplingStateOf(span: SpanContext): SamplingState {
  const traits = traitsOf(span);
  if (traits & DEBUG) return 'd';
  if (traits & UNDECIDED) return undefined;
  return span.traceFlags & TraceFlags.SAMPLED ? '1' : '0';
}

function extract<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>): Context {
  const single = singleHeader(carrier, getter, B3);
  return (single && extractSingle(context, single)) || extractMulti(context, carrier, getter);
}

/** Reads `{trace id}-{span id}-{sampling state}-{parent's span id}`, where the last two are optional, or a sampling state alone. */
function extractSingle(context: Context, header: string): Context | undefined {
  if (isState(header)) return withSamplingState(context, header);
  const dash = header.indexOf('-');
  if (dash !== 16 && dash !== 32) return undefined;
  const spanEnd = dash + 17;
  const rest = header.slice(spanEnd);
  const state = rest[1];
  const ids = [header.slice(0, dash), header.slice(dash + 1, spanEnd)] as const;
  if (rest === '' || isParentField(rest)) return withIds(context, ...ids, undefined);
  if (rest[0] !== '-' || !isState(state) || !(rest.length === 2 || isParentField(rest.slice(2)))) return undefined;
  return withIds(context, ...ids, state);
}

/** True for a dash and the id of the caller's own parent. The id is not used, but must be valid. */
function isParentField(field: string): boolean {
  return field.length === 17 && field[0] === '-' && isId(field.slice(1));
}

function extractMulti<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>): Context {
  const traceId = getter.get(carrier, TRACE_ID);
  const spanId = getter.get(carrier, SPAN_ID);
  const state = readSamplingState(carrier, getter);
  if (traceId === undefined && spanId === undefined) return state ? withSamplingState(context, state) : context;
  const ids = [singleHeader(carrier, getter, TRACE_ID) ?? '', singleHeader(carrier, getter, SPAN_ID) ?? ''] as const;
  return withIds(context, ...ids, state) ?? context;
}

function readSamplingState<Carrier>(carrier: Carrier, getter: TextMapGetter<Carrier>): SamplingState {
  if (singleHeader(carrier, getter, FLAGS) === '1') return 'd';
  switch (singleHeader(carrier, getter, SAMPLED)?.toLowerCase()) {
    case '1':
    case 'true':
      return '1';
    case '0':
    case 'false':
      return '0';
    default:
      return undefined;
  }
}

function isState(value: string | undefined): value is '0' | '1' | 'd' {
  return value === '0' || value === '1' || value === 'd';
}

function withSamplingState(context: Context, state: '0' | '1' | 'd'): Context {
  return withSamplingRequest(context, { sampled: state !== '0', debug: state === 'd' });
}

function withIds(context: Context, traceId: string, spanId: string, state: SamplingState): Context | undefined {
  if ((traceId.length !== 32 && traceId.length !== 16) || spanId.length !== 16) return undefined;
  if (!isId(traceId) || !isId(spanId)) return undefined;
  return withCaller(context, {
    traceId: traceId.padStart(32, '0'),
    spanId,
    sampled: state === '1' || state === 'd',
    traits: state === 'd' ? DEBUG : state === undefined ? UNDECIDED : 0,
  });
}
