import { baggageEntryMetadataFromString, type BaggageEntry } from '@opentelemetry/api';
import { decodePercent, encodePercent } from './percent.js';
import { trimOws } from './text.js';

/** What RFC 7230 calls a token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
/** A token that means itself even where percent-encoding is undone. */
const PLAIN_TOKEN = /^[!#$&'*+\-.^_`|~\dA-Za-z]+$/;
/** What W3C lets stand in a value, and beyond it the space, quote and backslash that many a sender leaves as they are. */
const VALUE = /^[ -~]*$/;
/** What W3C lets stand in the value of a property, which nobody encodes anew. */
const PROPERTY_VALUE = /^[!#-+\--:<-[\]-~]*$/;

/** Reads `key=value;property;property=value`; undefined where it is none. */
export function parseEntry(text: string): [key: string, entry: BaggageEntry] | undefined {
  const semicolon = text.indexOf(';');
  const end = semicolon === -1 ? text.length : semicolon;
  const equals = text.indexOf('=');
  if (equals === -1 || equals > end) return undefined;
  const key = parseKey(trimOws(text, 0, equals));
  const value = parseValue(trimOws(text, equals + 1, end));
  if (key === undefined || value === undefined) return undefined;
  const properties = semicolon === -1 ? '' : parseProperties(text.slice(semicolon + 1));
  return [key, properties ? { value, metadata: baggageEntryMetadataFromString(properties) } : { value }];
}

/** Writes an entry so that `parseEntry()` reads the same; undefined where it cannot be written. */
export function entryText(key: string, { value, metadata }: BaggageEntry): string | undefined {
  if (key === '') return undefined;
  const member = `${encodeKey(key)}=${encodePercent(value)}`;
  const properties = metadata && parseProperties(metadata.toString());
  return properties ? `${member};${properties}` : member;
}

/** The text that a value stands for; undefined where it has characters that no header may carry. */
export function parseValue(text: string): string | undefined {
  return VALUE.test(text) ? decodePercent(text) : undefined;
}

// To W3C a key is a token and no more. That others than ASCII travel percent-encoded is OpenTelemetry's custom.
function parseKey(text: string): string | undefined {
  return TOKEN.test(text) ? decodePercent(text) : undefined;
}

function encodeKey(key: string): string {
  if (PLAIN_TOKEN.test(key)) return key;
  return encodePercent(key).replaceAll('(', '%28').replaceAll(')', '%29');
}

function parseProperties(text: string): string {
  return text
    .split(';')
    .map(parseProperty)
    .filter((property) => property !== undefined)
    .join(';');
}

function parseProperty(text: string): string | undefined {
  const equals = text.indexOf('=');
  const key = trimOws(text, 0, equals === -1 ? text.length : equals);
  if (!TOKEN.test(key)) return undefined;
  if (equals === -1) return key;
  const value = trimOws(text, equals + 1);
  return PROPERTY_VALUE.test(value) ? `${key}=${value}` : undefined;
}
