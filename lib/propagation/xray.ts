import { isSpanContextValid, trace, TraceFlags, type TextMapPropagator } from '@opentelemetry/api';
import { oneHeader } from './carrier.js';
import { withCaller, type Caller } from './caller.js';
import { isId, trimOws } from './text.js';
import { traitsOf, UNDECIDED } from './trace-state.js';

const TRACE_ID = 'x-amzn-trace-id';

/** Of a trace id: `1-{8 digits}-{24 digits}`, where the first digits are a time to AWS, and any digits to OpenTelemetry. */
const ROOT = /^1-([\da-f]{8})-([\da-f]{24})$/i;

/**
 * The header `X-Amzn-Trace-Id` of AWS X-Ray: `Root={trace id};Parent={span id};Sampled={0, 1 or ?}`. Load balancers and functions add
 * other fields, such as `Self` and `Lineage`, which say nothing about the caller's span.
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
    const text = oneHeader(carrier, getter, TRACE_ID);
    const caller = text && parseTraceId(text);
    return caller ? withCaller(context, caller) : context;
  },

  fields: () => [TRACE_ID],
};

function parseTraceId(text: string): Caller | undefined {
  const { root, parent, sampled } = fieldsOf(text);
  const [, time = '', random = ''] = ROOT.exec(root ?? '') ?? [];
  const traceId = (time + random).toLowerCase();
  const spanId = parent?.toLowerCase() ?? '';
  if (traceId.length !== 32 || spanId.length !== 16 || !isId(traceId) || !isId(spanId)) return undefined;
  return { traceId, spanId, sampled: sampled === '1', traits: sampled === '0' || sampled === '1' ? 0 : UNDECIDED };
}

type Fields = { [Name in 'root' | 'parent' | 'sampled']?: string };

/** The fields that describe the caller's span, in any order and case. None where one comes twice: it is unknown which is meant. */
function fieldsOf(text: string): Fields {
  const fields: Fields = {};
  for (const field of text.split(';')) {
    const equals = field.indexOf('=');
    const name = trimOws(field, 0, Math.max(equals, 0)).toLowerCase();
    if (name !== 'root' && name !== 'parent' && name !== 'sampled') continue;
    const value = trimOws(field, equals + 1);
    // Node joins headers that came twice by a comma.
    if (fields[name] !== undefined || value.includes(',')) return {};
    fields[name] = value;
  }
  return fields;
}
