import {
  isSpanContextValid,
  trace,
  TraceFlags,
  type Context,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
} from '@opentelemetry/api';
import { oneHeader } from './carrier.js';
import { withCaller } from './caller.js';
import { isId } from './text.js';
import { DEBUG, traitsOf, UNDECIDED } from './trace-state.js';
import { withWish } from './wish.js';

const B3 = 'b3';
const TRACE_ID = 'x-b3-traceid';
const SPAN_ID = 'x-b3-spanid';
const PARENT_SPAN_ID = 'x-b3-parentspanid';
const SAMPLED = 'x-b3-sampled';
const FLAGS = 'x-b3-flags';

/** The sampling state of b3: deny, accept, debug, or undefined where the caller leaves it open. */
type SamplingState = '0' | '1' | 'd' | undefined;

/** The one header `b3`; the headers `X-B3-*` are read as well, where that is not there. */
export const b3Propagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = outgoing(context);
    if (!span) return;
    const state = stateOf(span);
    setter.set(carrier, B3, `${span.traceId}-${span.spanId}${state === undefined ? '' : `-${state}`}`);
  },
  extract,
  fields: () => [B3],
};

/** The headers `X-B3-*`; the header `b3` is read as well, and goes before them. */
export const b3MultiPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = outgoing(context);
    if (!span) return;
    setter.set(carrier, TRACE_ID, span.traceId);
    setter.set(carrier, SPAN_ID, span.spanId);
    const state = stateOf(span);
    if (state === 'd') setter.set(carrier, FLAGS, '1');
    else if (state !== undefined) setter.set(carrier, SAMPLED, state);
  },
  extract,
  fields: () => [TRACE_ID, SPAN_ID, SAMPLED, FLAGS, PARENT_SPAN_ID],
};

function outgoing(context: Context): SpanContext | undefined {
  const span = trace.getSpanContext(context);
  return span && isSpanContextValid(span) ? span : undefined;
}

function stateOf(span: SpanContext): SamplingState {
  const traits = traitsOf(span);
  if (traits & DEBUG) return 'd';
  if (traits & UNDECIDED) return undefined;
  return span.traceFlags & TraceFlags.SAMPLED ? '1' : '0';
}

function extract<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>): Context {
  const single = oneHeader(carrier, getter, B3);
  return (single && extractSingle(context, single)) || extractMulti(context, carrier, getter);
}

/** `{trace id}-{span id}-{sampling state}-{parent's span id}`, the last two being optional, or a sampling state alone. */
function extractSingle(context: Context, text: string): Context | undefined {
  if (isState(text)) return adoptState(context, text);
  const dash = text.indexOf('-');
  if (dash !== 16 && dash !== 32) return undefined;
  const spanEnd = dash + 17;
  const rest = text.slice(spanEnd);
  const state = rest[1];
  if (rest === '' || (rest.length === 17 && isParent(rest))) return adopt(context, text, dash, spanEnd, undefined);
  if (rest[0] !== '-' || !isState(state) || !(rest.length === 2 || isParent(rest.slice(2)))) return undefined;
  return adopt(context, text, dash, spanEnd, state);
}

function adopt(
  context: Context,
  text: string,
  dash: number,
  spanEnd: number,
  state: SamplingState,
): Context | undefined {
  return adoptIds(context, text.slice(0, dash), text.slice(dash + 1, spanEnd), state);
}

/** A dash and the id of the caller's own parent, which is the caller's affair. */
function isParent(text: string): boolean {
  return text.length === 17 && text[0] === '-' && isId(text.slice(1));
}

function extractMulti<Carrier>(context: Context, carrier: Carrier, getter: TextMapGetter<Carrier>): Context {
  const traceId = getter.get(carrier, TRACE_ID);
  const spanId = getter.get(carrier, SPAN_ID);
  const state = multiState(carrier, getter);
  if (traceId === undefined && spanId === undefined) return state ? adoptState(context, state) : context;
  const ids = [oneHeader(carrier, getter, TRACE_ID) ?? '', oneHeader(carrier, getter, SPAN_ID) ?? ''] as const;
  return adoptIds(context, ...ids, state) ?? context;
}

function multiState<Carrier>(carrier: Carrier, getter: TextMapGetter<Carrier>): SamplingState {
  if (oneHeader(carrier, getter, FLAGS) === '1') return 'd';
  switch (oneHeader(carrier, getter, SAMPLED)?.toLowerCase()) {
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

function isState(text: string | undefined): text is '0' | '1' | 'd' {
  return text === '0' || text === '1' || text === 'd';
}

function adoptState(context: Context, state: '0' | '1' | 'd'): Context {
  return withWish(context, { sampled: state !== '0', debug: state === 'd' });
}

function adoptIds(context: Context, traceId: string, spanId: string, state: SamplingState): Context | undefined {
  if ((traceId.length !== 32 && traceId.length !== 16) || spanId.length !== 16) return undefined;
  if (!isId(traceId) || !isId(spanId)) return undefined;
  return withCaller(context, {
    traceId: traceId.padStart(32, '0'),
    spanId,
    sampled: state === '1' || state === 'd',
    traits: state === 'd' ? DEBUG : state === undefined ? UNDECIDED : 0,
  });
}
