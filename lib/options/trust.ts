import { flag } from './parse.js';
import type { Setting } from './setting.js';

/** Whom to trust: true, false, or a function that says it of each. Undefined stands for everybody. */
export function trust<T>(setting: Setting | undefined): ((caller: T) => boolean) | undefined {
  if (setting === undefined) return undefined;
  if (typeof setting.value === 'function') return setting.value as (caller: T) => boolean;
  return flag(setting, 'Use true, false, or a function that returns one of them.') ? undefined : () => false;
}
