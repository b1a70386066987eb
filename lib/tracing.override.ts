import type { ModulesContainer } from '@nestjs/core';
import type { ResolvedOptions } from './options/resolve-options.js';
import type { TracingOptions } from './tracing.options.js';

/** The injection token of an override. A string rather than a symbol, so that two copies of the library share it. */
export const OPTIONS_OVERRIDE = 'nestjs-tracing:options-override';

/**
 * Resolves the options of an application in place of the library: a test traces the application as it is, and only sends its spans elsewhere.
 *
 * @param given the options of the application
 * @returns undefined if the application is not traced
 * @throws TracingConfigurationError
 */
export type OptionsOverride = (
  given: Partial<TracingOptions>,
  resolve: (options: TracingOptions) => ResolvedOptions,
) => ResolvedOptions | undefined;

/**
 * Returns the override of an application under test. Undefined if there is none.
 *
 * It is no optional dependency: `useMocker()` of a testing module is asked for a mock of each dependency that no module provides, and of
 * this one it must know nothing.
 */
export function findOptionsOverride(modules: ModulesContainer): OptionsOverride | undefined {
  for (const { providers } of modules.values()) {
    const provider = providers.get(OPTIONS_OVERRIDE);
    if (provider) return provider.instance as OptionsOverride;
  }
  return undefined;
}
