import type { Attributes, AttributeValue } from '@opentelemetry/api';
import { cutText } from '../core/cut-text.js';
import { reportIgnored } from '../core/diagnostics.js';
import { keySize, valueSize } from './estimated-size.js';

/** The maximal number of elements of a list. */
const MAX_ELEMENTS = 1000;

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
    if (given === null || given === undefined || !isKey(key)) return;
    const value = typeof given === 'string' && given.length <= limits.valueLength ? given : bounded(given, limits);
    if (value === undefined) return;
    const { values } = this;
    if (Object.hasOwn(values, key)) this.size -= valueSize(values[key]);
    else if (this.count < limits.count) {
      this.count++;
      this.size += keySize(key);
    } else {
      this.dropped++;
      return;
    }
    this.size += valueSize(value);
    values[key] = value;
  }

  /** Sets all attributes of an object. Ignores what is no object: a text would have each of its characters for an attribute. */
  setAll(attributes: Attributes, limits: AttributeLimits): void {
    if (typeof attributes !== 'object') return;
    try {
      for (const key in attributes) {
        if (Object.hasOwn(attributes, key)) this.set(key, attributes[key], limits);
      }
    } catch (error) {
      // An attribute may be a getter of the application.
      reportIgnored('Reading an attribute', error);
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

/** True for a key that an attribute can have. An assignment to `__proto__` would change the prototype of the attributes. */
function isKey(key: unknown): boolean {
  return typeof key === 'string' && key !== '' && key !== '__proto__';
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
