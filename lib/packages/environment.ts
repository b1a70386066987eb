/** Runs code that reads environment variables itself, with some of them set to other values or unset. */
export function withEnvironment<T>(changes: Readonly<Record<string, string | undefined>>, run: () => T): T {
  const before = Object.fromEntries(Object.keys(changes).map((name) => [name, process.env[name]]));
  assign(changes);
  try {
    return run();
  } finally {
    assign(before);
  }
}

function assign(variables: Readonly<Record<string, string | undefined>>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
