import process from 'node:process';
import base from './jest.config.mjs';

// The workers inherit the variable.
process.env.TEST_SCALE ??= '10';

/** The end-to-end tests of load and memory, with ten times the work. @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['<rootDir>/test/e2e/{*-memory,shop}.spec.ts'],
};
