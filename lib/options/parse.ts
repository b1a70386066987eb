import { TracingConfigurationError } from '../tracing.errors.js';
import type { Setting } from './setting.js';
import { didYouMean } from './suggest.js';

/** Node's timers fire at once when they are asked to wait longer. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** A text that is not blank. */
export function text(setting: Setting): string {
  const { name, value } = setting;
  if (typeof value === 'string' && value.trim()) return value.trim();
  throw new TracingConfigurationError(name, value, 'Give a text that is not empty, or leave it out.');
}

/** `true`, `false`, or the words for them, which is what configuration files and `ConfigService` hand out. */
export function flag(setting: Setting, fix = 'Use true or false.'): boolean {
  const { name, value } = setting;
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : undefined;
  if (word === 'true') return true;
  if (word === 'false') return false;
  throw new TracingConfigurationError(name, value, fix);
}

/** A whole number, also written as text. */
export function integer(setting: Setting, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  const number = toNumber(setting.value);
  if (number !== undefined && Number.isInteger(number) && number >= min && number <= max) return number;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new TracingConfigurationError(setting.name, setting.value, `Use a whole number ${range}.`);
}

/** A time in milliseconds that a timer can wait. */
export function milliseconds(setting: Setting, min = 1): number {
  const number = toNumber(setting.value);
  if (number !== undefined && Number.isInteger(number) && number >= min && number <= LONGEST_TIMER) return number;
  const fix = `Use a whole number of milliseconds, from ${min} to ${LONGEST_TIMER}.`;
  throw new TracingConfigurationError(setting.name, setting.value, fix);
}

/**
 * How long something may take, in milliseconds. In a variable 0 stands for no limit, as in OpenTelemetry's specification; in an
 * option it is more likely to be a mistake.
 */
export function timeout(setting: Setting): number {
  if (setting.variable === undefined) return milliseconds(setting);
  return milliseconds(setting, 0) || LONGEST_TIMER;
}

/** A number from 0 to 1, also written as text. */
export function fraction(setting: Setting): number {
  const number = toNumber(setting.value);
  if (number !== undefined && number >= 0 && number <= 1) return number;
  const fix = 'Use a number from 0 to 1, such as 0.1 for a tenth of the traces.';
  throw new TracingConfigurationError(setting.name, setting.value, fix);
}

/** One of some names in lower case. In an option they are written exactly so, in a variable case does not count. */
export function oneOf<T extends string>(setting: Setting, names: readonly T[]): T {
  const { name, value, variable } = setting;
  const trimmed = typeof value === 'string' ? value.trim() : value;
  const written = typeof trimmed === 'string' && variable !== undefined ? trimmed.toLowerCase() : trimmed;
  const found = names.find((candidate) => candidate === written);
  if (found !== undefined) return found;
  throw new TracingConfigurationError(name, value, `Use one of: ${names.join(', ')}.${guess(written, names)}`);
}

/** A function, or undefined where none was given. */
export function functionOr<T>(setting: Setting | undefined): T | undefined {
  if (setting === undefined) return undefined;
  if (typeof setting.value === 'function') return setting.value as T;
  throw new TracingConfigurationError(setting.name, setting.value, 'Give a function, or leave it out.');
}

function guess(written: unknown, names: readonly string[]): string {
  return typeof written === 'string' ? didYouMean(written, names) : '';
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  // Number('') is 0 and Number('0x10') is 16: neither is what somebody meant by it.
  if (typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) return Number(value);
  return undefined;
}
