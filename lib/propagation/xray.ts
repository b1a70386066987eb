import { isSpanContextValid, trace, TraceFlags, type TextMapPropagator } from '@opentelemetry/api';
import { singleHeader } from './carrier.js';
import { withCaller, type Caller } from './caller.js';
import { isId, trimOws } from './parsing.js';
import { traitsOf, UNDECIDED } from './trace-state.js';

const TRACE_ID = 'x-amzn-trace-id';

/** A trace id as `1-{8 digits}-{24 digits}`. AWS writes a time into the first digits; OpenTelemetry allows any digits. */
const ROOT = /^1-([\da-f]{8})-([\da-f]{24})$/i;

/**
 * Reads and writes the header `X-Amzn-Trace-Id` of AWS X-Ray: `Root={trace id};Parent={span id};Sampled={0, 1 or ?}`. Load balancers
 * and functions add other fields, such as `Self` and `Lineage`, which are not about the caller's span.
 */
export const xrayPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = trace.getSpanContext(context);
    if (!span || !isSpanContextValid(span)) return;
    const ids = `Root=1-${span.traceId.slice(0, 8)}-${span.traceId.slice(8)};Parent=${span.spanId}`;
    const sampled = traitsOf(span) & UNDECIDED ? '' : `;Sampled=${span.traceFlags & TraceFlags.SAMPLED}`;
    setter.set(carrier, TRACE_ID, ids + sampled);
  },

  extract(context, carrier, getter) {
    const header = singleHeader(carrier, getter, TRACE_ID);
    const caller = header && parseHeader(header);
    return caller ? withCaller(context, caller) : context;
  },

  fields: () => [TRACE_ID],
};

function parseHeader(header: string): Caller | undefined {
  const { root, parent, sampled } = parseFields(header);
  const [, time = '', random = ''] = ROOT.exec(root ?? '') ?? [];
  const traceId = (time + random).toLowerCase();
  const spanId = parent?.toLowerCase() ?? '';
  if (traceId.length !== 32 || spanId.length !== 16 || !isId(traceId) || !isId(spanId)) return undefined;
  return { traceId, spanId, sampled: sampled === '1', traits: sampled === '0' || sampled === '1' ? 0 : UNDECIDED };
}

type Fields = { [Name in 'root' | 'parent' | 'sampled']?: string };

/**
 * Returns the fields about the caller's span, which may be in any order and case. Returns none if one of them occurs twice: it is
 * not known which is meant.
 */
function parseFields(header: string): Fields {
  const fields: Fields = {};
  for (const field of header.split(';')) {
    const equals = field.indexOf('=');
    const name = trimOws(field, 0, Math.max(equals, 0)).toLowerCase();
    if (name !== 'root' && name !== 'parent' && name !== 'sampled') continue;
    const value = trimOws(field, equals + 1);
    // Node joins headers that occur twice with a comma.
    if (fields[name] !== undefined || value.includes(',')) return {};
    fields[name] = value;
  }
  return fields;
}
