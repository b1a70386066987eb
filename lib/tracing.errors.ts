/**
 * A value that an error must not show, because it may be a secret, or would be a very long text. Its type is shown instead: `a number`.
 */
export class WithheldValue {
  readonly type: string;

  constructor(value: unknown) {
    this.type = describeType(value);
  }
}

/**
 * An option that cannot be used. The error stops the start of the application. It contains the option, its value, and the fix.
 */
export class TracingConfigurationError extends Error {
  override readonly name: string = 'TracingConfigurationError';
  /** The value of the option. If it must not be shown, its type in words. */
  readonly value: unknown;

  /**
   * @param option the path of the option, such as `exporter.endpoint`, or the variable, such as `OTEL_EXPORTER_OTLP_ENDPOINT`
   * @param value the value of the option
   * @param fix how to correct the value, as one or several sentences
   */
  constructor(
    readonly option: string,
    value: unknown,
    readonly fix: string,
    options?: ErrorOptions,
  ) {
    super(`Tracing option "${option}" is ${describeValue(value)}. ${fix}`, options);
    this.value = value instanceof WithheldValue ? value.type : value;
  }
}

/** The circumstances of a package that is not found. */
export interface PackageErrorOptions extends ErrorOptions {
  /** True if the library is part of a bundle. */
  readonly isBundled?: boolean;
}

/** An option that needs a package which is not installed. */
export class TracingPackageError extends TracingConfigurationError {
  override readonly name = 'TracingPackageError';

  constructor(
    option: string,
    value: unknown,
    readonly packageName: string,
    { isBundled = false, ...options }: PackageErrorOptions = {},
  ) {
    const bundled = `The library is part of a bundle: mark the package as external (esbuild: --external:${packageName}, webpack: externals), and install it where the bundle runs`;
    const fix = `${isBundled ? bundled : 'Install it'}: npm install ${packageName}`;
    super(option, value, `It needs the package "${packageName}", which could not be loaded. ${fix}`, options);
  }
}

/** Texts are quoted, so that the text "3" and the number 3 differ. */
function describeValue(value: unknown): string {
  if (value instanceof WithheldValue) return value.type;
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

function describeType(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return typeof value === 'string' ? 'a text' : `a ${typeof value}`;
}
