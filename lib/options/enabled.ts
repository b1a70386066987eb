import { isTrue, warnUnlessBoolean } from './boolean-variable.js';
import { parseBoolean } from './parse.js';
import { readOption, readVariable, type Setting } from './setting.js';

/** Resolves whether tracing is enabled. */
export function resolveEnabled(given: unknown, env: NodeJS.ProcessEnv): boolean {
  const enabled = readOption('enabled', given);
  if (enabled) return parseBoolean(enabled);
  warnUnlessBoolean(disabledVariable(env));
  return !isSdkDisabled(env);
}

/** True if the environment disables tracing. It gives no warning, because Nest's logger is not known before the options are. */
export function isSdkDisabled(env: NodeJS.ProcessEnv): boolean {
  return isTrue(disabledVariable(env));
}

function disabledVariable(env: NodeJS.ProcessEnv): Setting | undefined {
  return readVariable(env, 'OTEL_SDK_DISABLED');
}
