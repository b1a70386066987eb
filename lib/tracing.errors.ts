/**
 * An option that cannot be used. The error stops the start of the application. It contains the option, its value, and the fix.
 */
export class TracingConfigurationError extends Error {
  override readonly name: string = 'TracingConfigurationError';

  /**
   * @param option the path of the option, such as `exporter.endpoint`, or the variable, such as `OTEL_EXPORTER_OTLP_ENDPOINT`
   * @param value the value of the option
   * @param fix how to correct the value, as one or several sentences
   */
  constructor(
    readonly option: string,
    readonly value: unknown,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(`Tracing option "${option}" is ${describeValue(value)}. ${fix}`, options);
  }
}

/** An option that needs a package which is not installed. */
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

function describeValue(value: unknown): string {
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
