import { propagation, type Baggage, type BaggageEntry, type Context, type TextMapPropagator } from '@opentelemetry/api';
import { reportIgnored } from '../core/diagnostics.js';
import { formatEntry, parseEntry } from './baggage-entry.js';
import { BaggageRoom } from './baggage-limits.js';
import { listHeader } from './carrier.js';
import { trimOws } from './parsing.js';

const BAGGAGE = 'baggage';

/** Reads and writes the header `baggage` of W3C. If several entries have the same key, the last counts. */
export const baggagePropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    if (!propagation.getBaggage(context)) return;
    const room = new BaggageRoom();
    let header = '';
    for (const member of writeEntries(context, formatEntry)) {
      if (!room.take(member.length)) continue;
      header += header === '' ? member : `,${member}`;
    }
    if (header) setter.set(carrier, BAGGAGE, header);
  },

  extract(context, carrier, getter) {
    const header = listHeader(carrier, getter, BAGGAGE);
    return header ? withEntries(context, (into) => readEntries(header, into)) : context;
  },

  fields: () => [BAGGAGE],
};

function readEntries(header: string, into: BaggageRecord): void {
  const room = new BaggageRoom();
  for (let start = 0; start < header.length && !room.isFull;) {
    const comma = header.indexOf(',', start);
    const end = comma === -1 ? header.length : comma;
    const member = trimOws(header, start, end);
    const entry = room.fits(member.length) ? parseEntry(member) : undefined;
    if (entry && room.take(member.length)) into[entry[0]] = entry[1];
    start = end + 1;
  }
}

/** Entries by key. The object has no prototype, because a key may be `__proto__`. */
export type BaggageRecord = Record<string, BaggageEntry>;

/** Returns a context with the entries that `read` finds, and its own. */
export function withEntries(context: Context, read: (into: BaggageRecord) => void): Context {
  const found = Object.create(null) as BaggageRecord;
  read(found);
  // Most messages have no entry, and keep their context.
  for (const _ in found) return propagation.setBaggage(context, mergeBaggage(context, found));
  return context;
}

function mergeBaggage(context: Context, found: BaggageRecord): Baggage {
  const present = propagation.getBaggage(context)?.getAllEntries();
  if (!present?.length) return propagation.createBaggage(found);
  const merged = Object.create(null) as BaggageRecord;
  for (const [key, entry] of present) merged[key] = entry;
  for (const [key, entry] of Object.entries(found)) merged[key] = keepProperties(entry, merged[key]);
  return propagation.createBaggage(merged);
}

/** Returns the entry of W3C, with its properties, if Jaeger names the same entry, for which it knows no properties. */
function keepProperties(entry: BaggageEntry, before: BaggageEntry | undefined): BaggageEntry {
  return !entry.metadata && before?.metadata && before.value === entry.value ? before : entry;
}

/** Yields what `write` returns for the entries of a context. An entry that cannot be written is left out. */
export function* writeEntries<T>(
  context: Context,
  write: (key: string, entry: BaggageEntry) => T | undefined,
): Iterable<T> {
  const baggage = propagation.getBaggage(context);
  if (!baggage) return;
  for (const [key, entry] of baggage.getAllEntries()) {
    try {
      // The API types the value as a string, but does not check it.
      if (entry.value == null) continue;
      const written = write(key, { ...entry, value: String(entry.value) });
      if (written !== undefined) yield written;
    } catch (error) {
      reportIgnored('Writing a baggage entry', error);
    }
  }
}
