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
import { withEntries, writeEntries, type BaggageRecord } from './baggage.js';
import { singleHeader } from './carrier.js';
import { withCaller, type Caller } from './caller.js';
import { decodePercent, encodePercent } from './percent.js';
import { isId } from './parsing.js';
import { DEBUG, traitsOf } from './trace-state.js';

const TRACE_ID = 'uber-trace-id';
const BAGGAGE_PREFIX = 'uberctx-';

const SAMPLED_FLAG = 0x1;
const DEBUG_FLAG = 0x2;

/** The maximal length of `{trace id}:{span id}:{parent's span id}:{flags}`, where the colons may be percent-encoded. */
const MAX_LENGTH = 128;

/** The characters that both HTTP and gRPC allow in the name of a header. */
const KEY = /^[\w.-]+$/;
/** The end of the names of gRPC metadata with binary values. */
const BINARY_SUFFIX = /-bin$/i;

/** Reads and writes the header `uber-trace-id` of Jaeger's clients, and their baggage in headers `uberctx-*`. */
export const jaegerPropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const span = trace.getSpanContext(context);
    if (span && isSpanContextValid(span)) {
      const sampled = span.traceFlags & TraceFlags.SAMPLED ? SAMPLED_FLAG : 0;
      const debug = traitsOf(span) & DEBUG ? SAMPLED_FLAG | DEBUG_FLAG : 0;
      setter.set(carrier, TRACE_ID, `${span.traceId}:${span.spanId}:0:0${sampled | debug}`);
    }
    const room = new BaggageRoom();
    for (const [name, value] of writeEntries(context, baggageHeader)) {
      if (room.take(name.length + value.length + 1)) setter.set(carrier, name, value);
    }
  },

  extract(context, carrier, getter) {
    const header = singleHeader(carrier, getter, TRACE_ID);
    const caller = header && parseHeader(header);
    const extracted = caller ? withCaller(context, caller) : context;
    return withEntries(extracted, (into) => readEntries(carrier, getter, into));
  },

  fields: () => [TRACE_ID],
};

function parseHeader(header: string): Caller | undefined {
  if (header.length > MAX_LENGTH) return undefined;
  const parts = decodePercent(header).split(':');
  if (parts.length !== 4) return undefined;
  const traceId = normalizeId(parts[0], 32);
  const spanId = normalizeId(parts[1], 16);
  const flags = parts[3] ?? '';
  // The third field, the parent of the caller's span, is deprecated and not checked.
  if (!traceId || !spanId || !/^[\da-f]{1,2}$/i.test(flags)) return undefined;
  const bits = Number.parseInt(flags, 16);
  const sampled = (bits & SAMPLED_FLAG) !== 0;
  return { traceId, spanId, sampled, traits: sampled && bits & DEBUG_FLAG ? DEBUG : 0 };
}

/** Returns an id with its leading zeros, which Jaeger leaves out, and in lower case, which not all of its clients write. */
function normalizeId(field: string | undefined, length: number): string | undefined {
  if (!field || field.length > length) return undefined;
  const id = field.toLowerCase().padStart(length, '0');
  return isId(id) ? id : undefined;
}

function readEntries<Carrier>(carrier: Carrier, getter: TextMapGetter<Carrier>, into: BaggageRecord): void {
  const room = new BaggageRoom();
  for (const name of getter.keys(carrier)) {
    if (name.length <= BAGGAGE_PREFIX.length || !name.toLowerCase().startsWith(BAGGAGE_PREFIX)) continue;
    const header = singleHeader(carrier, getter, name);
    const bytes = name.length + (header?.length ?? 0) + 1;
    if (header === undefined || !room.fits(bytes)) continue;
    // Clients in Go and Java write a space as a plus, and all clients write a plus as %2B.
    const value = parseValue(header.replaceAll('+', ' '));
    if (value !== undefined && room.take(bytes)) into[name.slice(BAGGAGE_PREFIX.length)] = { value };
  }
}

/** Returns the header of a baggage entry. Undefined if its key cannot be part of the name of a header. */
function baggageHeader(key: string, { value }: BaggageEntry): [name: string, value: string] | undefined {
  return KEY.test(key) && !BINARY_SUFFIX.test(key) ? [BAGGAGE_PREFIX + key, encodePercent(value)] : undefined;
}
