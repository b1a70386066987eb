/** A value together with the name by which the user finds it again: an option's path or a variable. */
export interface Setting {
  readonly name: string;
  readonly value: unknown;
  /** The environment variable that holds the value; undefined for an option in code. */
  readonly variable?: string | undefined;
}

/** What was written in code; `undefined` counts as not written. */
export function option(name: string, value: unknown): Setting | undefined {
  return value === undefined ? undefined : { name, value };
}

/** An environment variable; empty or blank counts as not set, as OpenTelemetry's specification wants it. */
export function variable(env: NodeJS.ProcessEnv, name: string): Setting | undefined {
  const value = env[name]?.trim();
  return value ? { name, value, variable: name } : undefined;
}

/** The first that is there: the order of the arguments is the order of precedence. */
export function firstOf(...settings: readonly (Setting | undefined)[]): Setting | undefined {
  return settings.find((setting) => setting !== undefined);
}

/** The entries of a comma-separated variable. */
export function entriesOf(list: Setting): readonly Setting[] {
  return String(list.value)
    .split(',')
    .map((entry) => ({ name: list.name, value: entry.trim(), variable: list.variable }))
    .filter(({ value }) => value !== '');
}
