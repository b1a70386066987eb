/** Writes the measurements of a test, also if Jest hides the output of tests that pass. */
export function measured(what: string): void {
  process.stderr.write(`  measured: ${what}\n`);
}
