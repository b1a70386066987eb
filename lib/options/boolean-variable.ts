import { warnOfVariable } from './lenient.js';
import { variable, type Setting } from './setting.js';

/** Whether `OTEL_SDK_DISABLED` switches tracing off. */
export function isSdkDisabled(env: NodeJS.ProcessEnv): boolean {
  return isTrue(variable(env, 'OTEL_SDK_DISABLED'));
}

/** Reads a boolean variable. Warns of a value that is neither `true` nor `false`, and counts as false. */
export function booleanVariable(setting: Setting | undefined): boolean {
  const value = isTrue(setting);
  if (setting && !value && String(setting.value).toLowerCase() !== 'false') {
    warnOfVariable(setting, `is ${JSON.stringify(setting.value)}, which counts as false. Use true or false.`);
  }
  return value;
}

/** OpenTelemetry's specification allows no other word for it, such as 1 or yes. */
function isTrue(setting: Setting | undefined): boolean {
  return String(setting?.value).toLowerCase() === 'true';
}
