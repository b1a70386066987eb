import { propagation, type Baggage, type BaggageEntry, type Context, type TextMapPropagator } from '@opentelemetry/api';
import { reportIgnored } from '../core/diagnostics.js';
import { entryText, parseEntry } from './baggage-entry.js';
import { BaggageRoom } from './baggage-limits.js';
import { listHeader } from './carrier.js';
import { trimOws } from './text.js';

const BAGGAGE = 'baggage';

/** The header `baggage` of W3C. Of several entries with one key the last counts. */
export const baggagePropagator: TextMapPropagator = {
  inject(context, carrier, setter) {
    const room = new BaggageRoom();
    let text = '';
    for (const member of leavingEntries(context, entryText)) {
      if (!room.take(member.length)) continue;
      text += text === '' ? member : `,${member}`;
    }
    if (text) setter.set(carrier, BAGGAGE, text);
  },

  extract(context, carrier, getter) {
    const text = listHeader(carrier, getter, BAGGAGE);
    return text ? withEntries(context, (into) => readEntries(text, into)) : context;
  },

  fields: () => [BAGGAGE],
};

function readEntries(text: string, into: BaggageRecord): void {
  const room = new BaggageRoom();
  for (let start = 0; start < text.length && !room.full;) {
    const comma = text.indexOf(',', start);
    const end = comma === -1 ? text.length : comma;
    const member = trimOws(text, start, end);
    const entry = room.fits(member.length) ? parseEntry(member) : undefined;
    if (entry && room.take(member.length)) into[entry[0]] = entry[1];
    start = end + 1;
  }
}

/** Entries by key. Without a prototype, since a key may be `__proto__`. */
export type BaggageRecord = Record<string, BaggageEntry>;

/** A context with the entries that are read beside those that it has. */
export function withEntries(context: Context, read: (into: BaggageRecord) => void): Context {
  const found = Object.create(null) as BaggageRecord;
  read(found);
  // Most messages bring none.
  for (const _ in found) return propagation.setBaggage(context, besideThose(context, found));
  return context;
}

function besideThose(context: Context, found: BaggageRecord): Baggage {
  const before = propagation.getBaggage(context)?.getAllEntries();
  if (!before?.length) return propagation.createBaggage(found);
  const all = Object.create(null) as BaggageRecord;
  for (const [key, entry] of before) all[key] = entry;
  for (const [key, entry] of Object.entries(found)) all[key] = withProperties(entry, all[key]);
  return propagation.createBaggage(all);
}

/** Jaeger has no word for the properties that W3C gives to the same entry. */
function withProperties(entry: BaggageEntry, before: BaggageEntry | undefined): BaggageEntry {
  return !entry.metadata && before?.metadata && before.value === entry.value ? before : entry;
}

/** What `write` makes of the entries of a context. One that cannot be written does not keep the others back. */
export function* leavingEntries<T>(
  context: Context,
  write: (key: string, entry: BaggageEntry) => T | undefined,
): Iterable<T> {
  const baggage = propagation.getBaggage(context);
  if (!baggage) return;
  for (const [key, entry] of baggage.getAllEntries()) {
    try {
      // The type says text, and nobody checks.
      if (entry.value == null) continue;
      const written = write(key, { ...entry, value: String(entry.value) });
      if (written !== undefined) yield written;
    } catch (error) {
      reportIgnored('Writing a baggage entry', error);
    }
  }
}
