import { appendFileSync } from 'node:fs';
import process from 'node:process';

/** Appends "passed failed" of a Jest run to the file that TEST_COUNTS names. */
export default class CountReporter {
  onRunComplete(_contexts, results) {
    // A file that cannot be loaded has failed, although it has no failed tests.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    appendFileSync(process.env.TEST_COUNTS, `${results.numPassedTests} ${failed}\n`);
  }
}
