import { types } from 'node:util';
import type { Attributes } from '@opentelemetry/api';
import { cutText } from '../core/cut-text.js';

const PREFIX = 'db.query.parameter.';

/** The number of parameters that are recorded. */
const MAX_PARAMETERS = 32;
/** The number of characters of a parameter. */
const MAX_LENGTH = 256;

/** Returns the attributes of the parameters of a query: a list, or an object of values by name. */
export function parameterAttributes(parameters: unknown): Attributes {
  if (typeof parameters !== 'object' || parameters === null || types.isProxy(parameters)) return {};
  const attributes: Attributes = {};
  for (const key of Object.keys(parameters).slice(0, MAX_PARAMETERS)) {
    const value: unknown = Object.getOwnPropertyDescriptor(parameters, key)?.value;
    attributes[PREFIX + cutText(key, MAX_LENGTH)] = cutText(describeParameter(value), MAX_LENGTH);
  }
  return attributes;
}

/** Describes a value without calling code of the application, such as a `toString()` of its own. */
function describeParameter(value: unknown): string {
  if (typeof value === 'string') return value;
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (types.isDate(value)) return Number.isNaN(Number(value)) ? 'Invalid Date' : Date.prototype.toISOString.call(value);
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? `${value.length} values` : 'object';
  return typeof value === 'function' ? 'function' : String(value);
}
