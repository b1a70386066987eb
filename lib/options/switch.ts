import { checkKeys, type KeyOf } from './check-keys.js';
import { parseBoolean } from './parse.js';
import { readOption } from './setting.js';
import type { BooleanOption } from './text-types.js';

/** Returns true if an option is on, which is a boolean or its text. */
export function isOn(name: string, value: unknown, byDefault: boolean): boolean {
  const setting = readOption(name, value);
  return setting ? parseBoolean(setting) : byDefault;
}

/**
 * Returns the options of a group that true and false switch on and off as well. Undefined if the group is off.
 *
 * @param isOnByDefault true if the group is on unless the application switches it off
 */
export function optionsIfOn<T extends object>(
  name: string,
  given: T | BooleanOption | undefined,
  isOnByDefault = true,
): Partial<T> | undefined {
  if (given === undefined) return isOnByDefault ? {} : undefined;
  if (typeof given === 'object' && given !== null) return given;
  return parseBoolean({ name, value: given }, 'Use true, false, or an object with options.') ? {} : undefined;
}

/** Returns such options after their keys were checked. */
export function groupIfOn<T extends object>(
  name: string,
  given: T | BooleanOption | undefined,
  keys: Readonly<Record<KeyOf<T>, unknown>>,
  isOnByDefault = true,
): Partial<T> | undefined {
  const group = optionsIfOn<T>(name, given, isOnByDefault);
  return group && checkKeys<T>(name, group, keys);
}
