import { TracingConfigurationError, TracingPackageError } from '../tracing.errors.js';
import { describeError } from '../core/diagnostics.js';
import nodeRequire from './require.cjs';

/**
 * Loads a package that only an option needs.
 *
 * @throws TracingPackageError when it is not installed
 * @throws TracingConfigurationError when it is, but fails to load
 */
export function loadOptional<T>(name: string, option: string, value: unknown): T {
  let path: string;
  try {
    path = nodeRequire.resolve(name);
  } catch (cause) {
    throw new TracingPackageError(option, value, name, { cause });
  }
  try {
    return nodeRequire(path) as T;
  } catch (cause) {
    const fix = `It needs the package "${name}", which is installed but fails to load: ${describeError(cause)}`;
    throw new TracingConfigurationError(option, value, fix, { cause });
  }
}
