import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { cutText } from '../core/cut-text.js';

/** The maximal number of elements of a list. */
const MAX_ELEMENTS = 1000;

/** Estimated bytes of an attribute in an exported message, beside its texts. */
const BYTES_PER_ATTRIBUTE = 50;
const BYTES_PER_ELEMENT = 12;
// The most that a character takes: to count the bytes exactly takes as long as to encode them.
const BYTES_PER_CHARACTER = 3;

/** The limits of a set of attributes. */
export interface AttributeLimits {
  readonly count: number;
  /** The maximal length of a text. */
  readonly valueLength: number;
}

/** The attributes of a span, an event or a link, as the specification limits them: new keys are refused when the set is full. */
export class AttributeSet {
  values: Attributes = {};
  count = 0;
  /** Attributes that were refused because the set was full. */
  dropped = 0;
  /** Estimated bytes in an exported message. */
  size = 0;

  /** Sets an attribute. Ignores a key or a value that no attribute can have. */
  set(key: string, given: unknown, limits: AttributeLimits): void {
    if (given === null || given === undefined || key === '') return;
    const value = typeof given === 'string' && given.length <= limits.valueLength ? given : bounded(given, limits);
    if (value === undefined) return;
    const { values } = this;
    if (!Object.hasOwn(values, key)) {
      if (this.count >= limits.count) {
        this.dropped++;
        return;
      }
      this.count++;
    }
    this.size += BYTES_PER_ATTRIBUTE + BYTES_PER_CHARACTER * key.length + valueSize(value);
    values[key] = value;
  }

  /** Sets all attributes of an object. Ignores what is no object: a text would have each of its characters for an attribute. */
  setAll(attributes: Attributes, limits: AttributeLimits): void {
    if (typeof attributes !== 'object') return;
    for (const key in attributes) {
      if (Object.hasOwn(attributes, key)) this.set(key, attributes[key], limits);
    }
  }

  /**
   * Applies limits that were not known when the attributes were set.
   *
   * @param initial the values of the attributes with which the span has started
   * @param decided the attributes that the sampler has put in their place
   */
  decide(initial: Attributes, decided: Attributes, limits: AttributeLimits): void {
    const { values } = this;
    this.values = {};
    this.count = 0;
    this.size = 0;
    this.setAll(decided, limits);
    for (const key in values) {
      if (values[key] !== initial[key]) this.set(key, values[key], limits);
    }
  }
}

/** Returns a copy of a value within the limits. Undefined if an attribute cannot have it. */
function bounded(value: unknown, limits: AttributeLimits): AttributeValue | undefined {
  switch (typeof value) {
    case 'string':
      return cutText(value, limits.valueLength);
    case 'number':
    case 'boolean':
      return value;
    default:
      return Array.isArray(value) ? boundedList(value, limits) : undefined;
  }
}

/** Returns a copy of a list whose elements are of one type, some of which may be missing. Undefined for any other list. */
function boundedList(list: readonly unknown[], { valueLength }: AttributeLimits): AttributeValue | undefined {
  let type: string | undefined;
  const copy: unknown[] = [];
  for (const element of list) {
    if (element !== null && element !== undefined) {
      type ??= typeof element;
      if (typeof element !== type) return undefined;
    }
    if (copy.length < MAX_ELEMENTS) copy.push(typeof element === 'string' ? cutText(element, valueLength) : element);
  }
  const isPrimitive = type === undefined || type === 'string' || type === 'number' || type === 'boolean';
  return isPrimitive ? (copy as AttributeValue) : undefined;
}

function valueSize(value: AttributeValue): number {
  if (typeof value === 'string') return BYTES_PER_CHARACTER * value.length;
  if (!Array.isArray(value)) return BYTES_PER_ELEMENT;
  let size = 0;
  for (const element of value) {
    size += BYTES_PER_ELEMENT + (typeof element === 'string' ? BYTES_PER_CHARACTER * element.length : 0);
  }
  return size;
}
