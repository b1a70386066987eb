import { afterEach, beforeEach, jest } from '@jest/globals';
import { setDiagnosticsSink } from '../../lib/core/diagnostics.js';

/** The library writes a kind of warning once in this time, in milliseconds. */
const INTERVAL = 60_000;

/** Collects the library's warnings during each test of a file, as if no other test had caused them before. */
export function recordWarnings(): readonly string[] {
  const warnings: string[] = [];
  let now = 0;
  beforeEach(() => {
    warnings.length = 0;
    setDiagnosticsSink({ warn: (message) => warnings.push(message) });
    jest.spyOn(performance, 'now').mockReturnValue((now += INTERVAL));
  });
  afterEach(() => {
    setDiagnosticsSink();
    jest.restoreAllMocks();
  });
  return warnings;
}
