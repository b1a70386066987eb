import type { Attributes } from '@opentelemetry/api';

/** Estimated bytes of a span in an exported message, without its texts and attributes. */
export const BYTES_PER_SPAN = 250;
const BYTES_PER_ENTRY = 80;
const BYTES_PER_ATTRIBUTE = 50;
const BYTES_PER_ELEMENT = 12;
// The most that a character takes: to count the bytes exactly takes as long as to encode them.
const BYTES_PER_CHARACTER = 3;

/** The depth up to which nested values are counted: no exporter writes deeper ones in full. */
const MAX_DEPTH = 8;

export function textSize(text: unknown): number {
  return typeof text === 'string' ? BYTES_PER_CHARACTER * text.length : 0;
}

interface Entry {
  readonly attributes?: Attributes | undefined;
  readonly name?: string;
}

/** Returns the estimated bytes of lists of events or links. */
export function entriesSize(...lists: readonly (readonly Entry[] | undefined)[]): number {
  let size = 0;
  for (const list of lists) {
    if (list)
      for (const { attributes, name } of list) size += BYTES_PER_ENTRY + textSize(name) + attributesSize(attributes);
  }
  return size;
}

export function attributesSize(attributes: object | undefined, depth = 0): number {
  let size = 0;
  for (const key in attributes) {
    size += keySize(key) + valueSize(attributes[key as keyof typeof attributes], depth);
  }
  return size;
}

/** Returns the estimated bytes of an attribute without its value. */
export function keySize(key: string): number {
  return BYTES_PER_ATTRIBUTE + BYTES_PER_CHARACTER * key.length;
}

export function valueSize(value: unknown, depth = 0): number {
  if (typeof value === 'string') return BYTES_PER_CHARACTER * value.length;
  if (typeof value !== 'object' || value === null || depth > MAX_DEPTH) return BYTES_PER_ELEMENT;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (!Array.isArray(value)) return attributesSize(value, depth + 1);
  let size = 0;
  for (const element of value) size += BYTES_PER_ELEMENT + valueSize(element, depth + 1);
  return size;
}
