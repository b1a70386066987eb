/**
 * A wrong configuration. It stops the application's start and says which option is meant, what it was, and how to mend it.
 */
export class TracingConfigurationError extends Error {
  override readonly name: string = 'TracingConfigurationError';

  /**
   * @param option the option as the user wrote it: `exporter.endpoint`, or the variable `OTEL_EXPORTER_OTLP_ENDPOINT`
   * @param value what was found there
   * @param fix what to write instead
   */
  constructor(
    readonly option: string,
    readonly value: unknown,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(`Tracing option "${option}" is ${describe(value)}. ${fix}`, options);
  }
}

/** An option needs a package that is not installed. */
export class TracingPackageError extends TracingConfigurationError {
  override readonly name = 'TracingPackageError';

  constructor(
    option: string,
    value: unknown,
    readonly packageName: string,
    options?: ErrorOptions,
  ) {
    super(
      option,
      value,
      `It needs the package "${packageName}", which could not be loaded. Install it: npm install ${packageName}`,
      options,
    );
  }
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return `a function (${value.name || 'anonymous'})`;
  if (typeof value === 'object' && value !== null) {
    try {
      return JSON.stringify(value) ?? 'an object';
    } catch {
      return 'an object';
    }
  }
  return String(value);
}
