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
