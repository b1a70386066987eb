import { TracingConfigurationError, TracingPackageError } from '../tracing.errors.js';
import { describeError } from '../core/diagnostics.js';
import { isBundled } from './bundled.js';
import { nodeRequire } from './require.js';

/**
 * Loads an optional package, which only one option needs.
 *
 * @throws TracingPackageError if it is not installed
 * @throws TracingConfigurationError if it is installed but fails to load
 */
export function loadOptional<T>(name: string, option: string, value: unknown): T {
  const path = requirePackage(name, option, value);
  try {
    return nodeRequire(path) as T;
  } catch (cause) {
    const fix = `It needs the package "${name}", which is installed but fails to load: ${describeError(cause)}`;
    throw new TracingConfigurationError(option, value, fix, { cause });
  }
}

/**
 * Finds an optional package without loading it. Returns its path.
 *
 * @throws TracingPackageError if it is not installed
 */
export function requirePackage(name: string, option: string, value: unknown): string {
  try {
    return nodeRequire.resolve(name);
  } catch (cause) {
    throw new TracingPackageError(option, value, name, { cause, isBundled: isBundled() });
  }
}
