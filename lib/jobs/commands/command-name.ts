/** The members of a command of `commander` that are used here. */
interface Command {
  readonly parent?: Command | null;
  name(): string;
}

/** A command of `nest-commander`. */
export interface CommandRunner {
  /** The command of `commander` that runs it. */
  readonly command?: Command;
  run(...args: unknown[]): unknown;
}

/** Returns the names of a command and of those that it is a subcommand of, such as `user add`. Undefined if it has none. */
export function nameOfCommand({ command }: CommandRunner): string | undefined {
  const names: string[] = [];
  for (let link: Command | null | undefined = command; link; link = link.parent) {
    // The outermost command stands for the program, unless it is the one that runs.
    if (link === command || link.parent) names.unshift(link.name());
  }
  return names.join(' ') || undefined;
}
