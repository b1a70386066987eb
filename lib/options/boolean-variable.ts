import { warnOfVariable } from './lenient.js';
import type { Setting } from './setting.js';

/** Reads a boolean variable. Any value other than `true` counts as false. */
export function isTrue(setting: Setting | undefined): boolean {
  return wordOf(setting) === 'true';
}

/** Warns of a value that OpenTelemetry's specification does not allow, such as `1` or `yes`. */
export function warnUnlessBoolean(setting: Setting | undefined): void {
  if (!setting || ['true', 'false'].includes(wordOf(setting))) return;
  warnOfVariable(setting, `is ${JSON.stringify(setting.value)}, which counts as false. Use true or false.`);
}

function wordOf(setting: Setting | undefined): string {
  return String(setting?.value).toLowerCase();
}
