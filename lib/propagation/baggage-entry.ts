import { baggageEntryMetadataFromString, type BaggageEntry } from '@opentelemetry/api';
import { decodePercent, encodePercent } from './percent.js';
import { trimOws } from './parsing.js';

/** A token of RFC 7230. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
/** A token that percent-decoding does not change. */
const PLAIN_TOKEN = /^[!#$&'*+\-.^_`|~\dA-Za-z]+$/;
/** A value of W3C, which may also have spaces, quotes and backslashes, because many senders do not encode them. */
const VALUE = /^[ -~]*$/;
/** The value of a property of W3C. It is written as it was read, so only the characters of the specification are allowed. */
const PROPERTY_VALUE = /^[!#-+\--:<-[\]-~]*$/;

/** Parses `key=value;property;property=value`. Undefined if it is malformed. */
export function parseEntry(member: string): [key: string, entry: BaggageEntry] | undefined {
  const semicolon = member.indexOf(';');
  const end = semicolon === -1 ? member.length : semicolon;
  const equals = member.indexOf('=');
  if (equals === -1 || equals > end) return undefined;
  const key = parseKey(trimOws(member, 0, equals));
  const value = parseValue(trimOws(member, equals + 1, end));
  if (key === undefined || value === undefined) return undefined;
  const properties = semicolon === -1 ? '' : parseProperties(member.slice(semicolon + 1));
  return [key, properties ? { value, metadata: baggageEntryMetadataFromString(properties) } : { value }];
}

/** Formats an entry, so that `parseEntry()` returns the same. Undefined if its key is empty. */
export function formatEntry(key: string, { value, metadata }: BaggageEntry): string | undefined {
  if (key === '') return undefined;
  const member = `${encodeKey(key)}=${encodePercent(value)}`;
  const properties = metadata && parseProperties(metadata.toString());
  return properties ? `${member};${properties}` : member;
}

/** Decodes a value. Undefined if it has characters that are not allowed in a header. */
export function parseValue(encoded: string): string | undefined {
  return VALUE.test(encoded) ? decodePercent(encoded) : undefined;
}

// In W3C's specification a key is a token and nothing else. OpenTelemetry percent-encodes keys that are not ASCII.
function parseKey(encoded: string): string | undefined {
  return TOKEN.test(encoded) ? decodePercent(encoded) : undefined;
}

function encodeKey(key: string): string {
  if (PLAIN_TOKEN.test(key)) return key;
  return encodePercent(key).replaceAll('(', '%28').replaceAll(')', '%29');
}

function parseProperties(properties: string): string {
  return properties
    .split(';')
    .map(parseProperty)
    .filter((property) => property !== undefined)
    .join(';');
}

function parseProperty(property: string): string | undefined {
  const equals = property.indexOf('=');
  const key = trimOws(property, 0, equals === -1 ? property.length : equals);
  if (!TOKEN.test(key)) return undefined;
  if (equals === -1) return key;
  const value = trimOws(property, equals + 1);
  return PROPERTY_VALUE.test(value) ? `${key}=${value}` : undefined;
}
