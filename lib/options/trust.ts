import { parseBoolean } from './parse.js';
import type { Setting } from './setting.js';

/**
 * Resolves which callers are trusted from true, false, or a function of the caller. Returns undefined if every caller is.
 */
export function resolveTrust<T>(setting: Setting | undefined): ((caller: T) => boolean) | undefined {
  if (setting === undefined) return undefined;
  if (typeof setting.value === 'function') return setting.value as (caller: T) => boolean;
  return parseBoolean(setting, 'Use true, false, or a function that returns one of them.') ? undefined : () => false;
}
