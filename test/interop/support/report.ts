/** Writes what a test has measured, also where Jest itself writes nothing of a test that passes. */
export function measured(what: string): void {
  process.stderr.write(`  measured: ${what}\n`);
}
