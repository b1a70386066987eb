import { TracingConfigurationError } from '../tracing.errors.js';
import type { Setting } from './setting.js';
import { didYouMean } from './suggest.js';

/** The longest delay of a Node timer, in milliseconds. A timer with a longer delay fires at once. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Parses a text that is not blank. */
export function parseText(setting: Setting): string {
  const { name, value } = setting;
  if (typeof value === 'string' && value.trim()) return value.trim();
  throw new TracingConfigurationError(name, value, 'Give a text that is not empty, or leave it out.');
}

/** Parses a boolean, or the word `true` or `false`, which configuration files and `ConfigService` provide. */
export function parseBoolean(setting: Setting, fix = 'Use true or false.'): boolean {
  const { name, value } = setting;
  if (typeof value === 'boolean') return value;
  const word = typeof value === 'string' ? value.trim().toLowerCase() : undefined;
  if (word === 'true') return true;
  if (word === 'false') return false;
  throw new TracingConfigurationError(name, value, fix);
}

/** Parses an integer, or its text. */
export function parseInteger(setting: Setting, min = 0, max = Number.MAX_SAFE_INTEGER): number {
  const number = toNumber(setting.value);
  if (number !== undefined && Number.isInteger(number) && number >= min && number <= max) return number;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new TracingConfigurationError(setting.name, setting.value, `Use a whole number ${range}.`);
}

/** Parses a time in milliseconds that a timer can wait. */
export function parseMilliseconds(setting: Setting, min = 1): number {
  const number = toNumber(setting.value);
  if (number !== undefined && Number.isInteger(number) && number >= min && number <= LONGEST_TIMER) return number;
  const fix = `Use a whole number of milliseconds, from ${min} to ${LONGEST_TIMER}.`;
  throw new TracingConfigurationError(setting.name, setting.value, fix);
}

/**
 * Parses a timeout in milliseconds. In a variable 0 means no limit, as OpenTelemetry's specification defines. In an option 0 is
 * refused, because it is more likely to be a mistake.
 */
export function parseTimeout(setting: Setting): number {
  if (setting.variable === undefined) return parseMilliseconds(setting);
  return parseMilliseconds(setting, 0) || LONGEST_TIMER;
}

/** Parses a number from 0 to 1, or its text. */
export function parseFraction(setting: Setting): number {
  const number = toNumber(setting.value);
  if (number !== undefined && number >= 0 && number <= 1) return number;
  const fix = 'Use a number from 0 to 1, such as 0.1 for a tenth of the traces.';
  throw new TracingConfigurationError(setting.name, setting.value, fix);
}

/** Parses one of several names in lower case. Case counts in an option and does not count in a variable. */
export function parseName<T extends string>(setting: Setting, names: readonly T[]): T {
  const { name, value, variable } = setting;
  const trimmed = typeof value === 'string' ? value.trim() : value;
  const word = typeof trimmed === 'string' && variable !== undefined ? trimmed.toLowerCase() : trimmed;
  const found = names.find((candidate) => candidate === word);
  if (found !== undefined) return found;
  throw new TracingConfigurationError(name, value, `Use one of: ${names.join(', ')}.${suggestion(word, names)}`);
}

/** Parses a function. Returns undefined if the setting is. */
export function parseFunction<T>(setting: Setting | undefined): T | undefined {
  if (setting === undefined) return undefined;
  if (typeof setting.value === 'function') return setting.value as T;
  throw new TracingConfigurationError(setting.name, setting.value, 'Give a function, or leave it out.');
}

function suggestion(word: unknown, names: readonly string[]): string {
  return typeof word === 'string' ? didYouMean(word, names) : '';
}

function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  // Number('') is 0 and Number('0x10') is 16, which are not what such a text was meant to be.
  if (typeof value === 'string' && /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value)) return Number(value);
  return undefined;
}
