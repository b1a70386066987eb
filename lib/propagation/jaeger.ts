import {
  isSpanContextValid,
  trace,
  TraceFlags,
  type BaggageEntry,
  type TextMapGetter,
  type TextMapPropagator,
} from '@opentelemetry/api';
import { parseValue } from './baggage-entry.js';
import { BaggageRoom } from './baggage-limits.js';
import { leavingEntries, withEntries, type BaggageRecord } from './baggage.js';
import { oneHeader } from './carrier.js';
import { withCaller, type Caller } from './caller.js';
import { decodePercent, encodePercent } from './percent.js';
import { isId } from './text.js';
import { DEBUG, traitsOf } from './trace-state.js';

const TRACE_ID = 'uber-trace-id';
const BAGGAGE_PREFIX = 'uberctx-';

const SAMPLED_FLAG = 0x1;
const DEBUG_FLAG = 0x2;

/** Of `{trace id}:{span id}:{parent's span id}:{flags}`; the colons may be percent-encoded. */
const MAX_LENGTH = 128;

/** What both HTTP and gRPC let stand in the name of a header. */
const KEY = /^[\w.-]+$/;
/** Ends the names of gRPC's metadata that hold bytes. */
const BINARY = /-bin$/i;

/** The header `uber-trace-id` of Jaeger's own clients, and their baggage in headers `uberctx-*`. */
export const jaegerPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = trace.getSpanContext(context);
    if (span && isSpanContextValid(span)) {
      const sampled = span.traceFlags & TraceFlags.SAMPLED ? SAMPLED_FLAG : 0;
      const debug = traitsOf(span) & DEBUG ? SAMPLED_FLAG | DEBUG_FLAG : 0;
      setter.set(carrier, TRACE_ID, `${span.traceId}:${span.spanId}:0:0${sampled | debug}`);
    }
    const room = new BaggageRoom();
    for (const [name, value] of leavingEntries(context, headerOf)) {
      if (room.take(name.length + value.length + 1)) setter.set(carrier, name, value);
    }
  },

  extract(context, carrier, getter) {
    const text = oneHeader(carrier, getter, TRACE_ID);
    const caller = text && parseTraceId(text);
    const adopted = caller ? withCaller(context, caller) : context;
    return withEntries(adopted, (into) => readEntries(carrier, getter, into));
  },

  fields: () => [TRACE_ID],
};

function parseTraceId(raw: string): Caller | undefined {
  if (raw.length > MAX_LENGTH) return undefined;
  const parts = decodePercent(raw).split(':');
  if (parts.length !== 4) return undefined;
  const traceId = paddedId(parts[0], 32);
  const spanId = paddedId(parts[1], 16);
  const flags = parts[3] ?? '';
  // What stands in place of the parent is deprecated, and no business of ours.
  if (!traceId || !spanId || !/^[\da-f]{1,2}$/i.test(flags)) return undefined;
  const bits = Number.parseInt(flags, 16);
  const sampled = (bits & SAMPLED_FLAG) !== 0;
  return { traceId, spanId, sampled, traits: sampled && bits & DEBUG_FLAG ? DEBUG : 0 };
}

/** Jaeger leaves out leading zeros, and its clients differ in upper and lower case. */
function paddedId(text: string | undefined, length: number): string | undefined {
  if (!text || text.length > length) return undefined;
  const id = text.toLowerCase().padStart(length, '0');
  return isId(id) ? id : undefined;
}

function readEntries<Carrier>(carrier: Carrier, getter: TextMapGetter<Carrier>, into: BaggageRecord): void {
  const room = new BaggageRoom();
  for (const name of getter.keys(carrier)) {
    if (name.length <= BAGGAGE_PREFIX.length || !name.toLowerCase().startsWith(BAGGAGE_PREFIX)) continue;
    const text = oneHeader(carrier, getter, name);
    const bytes = name.length + (text?.length ?? 0) + 1;
    if (text === undefined || !room.fits(bytes)) continue;
    // Clients in Go and Java write a space as a plus, and all of them a plus as %2B.
    const value = parseValue(text.replaceAll('+', ' '));
    if (value !== undefined && room.take(bytes)) into[name.slice(BAGGAGE_PREFIX.length)] = { value };
  }
}

/** Undefined for a key that cannot be part of a header's name. */
function headerOf(key: string, { value }: BaggageEntry): [name: string, value: string] | undefined {
  return KEY.test(key) && !BINARY.test(key) ? [BAGGAGE_PREFIX + key, encodePercent(value)] : undefined;
}
