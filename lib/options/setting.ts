/** A value and the name by which the application's developer finds it again: the path of an option, or a variable. */
export interface Setting {
  readonly name: string;
  readonly value: unknown;
  /** The environment variable that holds the value. Undefined if the value is an option in code. */
  readonly variable?: string | undefined;
}

/** The places where a value may stand, in order of precedence. Undefined for a place that is empty. */
export type Sources = readonly (Setting | undefined)[];

/** The full name of a variable, so that a search in the code finds every variable that is read. */
export type VariableName = `OTEL_${string}`;

/** Returns an option as a setting. Undefined if the option is left out, or is `undefined`. */
export function readOption(name: string, value: unknown): Setting | undefined {
  return value === undefined ? undefined : { name, value };
}

/** Returns a variable as a setting. Undefined if the variable is not set, or is blank, as OpenTelemetry's specification requires. */
export function readVariable(env: NodeJS.ProcessEnv, name: VariableName): Setting | undefined {
  const value = env[name]?.trim();
  return value ? { name, value, variable: name } : undefined;
}

/** Returns several variables as settings, in the given order of precedence. */
export function readVariables(env: NodeJS.ProcessEnv, ...names: readonly VariableName[]): Sources {
  return names.map((name) => readVariable(env, name));
}

/** Returns the setting with the highest precedence. */
export function firstDefined(...sources: Sources): Setting | undefined {
  return sources.find((setting) => setting !== undefined);
}

/** Splits a comma-separated variable into its entries. */
export function splitEntries(list: Setting): readonly Setting[] {
  return String(list.value)
    .split(',')
    .map((entry) => ({ name: list.name, value: entry.trim(), variable: list.variable }))
    .filter(({ value }) => value !== '');
}
