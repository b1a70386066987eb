import process from 'node:process';

/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/lib', '<rootDir>/test'],
  testMatch: ['<rootDir>/test/{unit,e2e}/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/test/consumers/'],
  testEnvironment: 'node',
  setupFilesAfterEnv: ['<rootDir>/test/support/every-test-asserts.ts', '<rootDir>/test/support/leave-no-subscriber.ts'],
  testTimeout: 20_000,
  maxWorkers: 2,
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'cts', 'js', 'mjs', 'cjs', 'json', 'node'],
  moduleNameMapper: {
    '^nestjs-tracing$': '<rootDir>/lib/index.ts',
    '^(\\.{1,2}/.*)\\.(c?)js$': ['$1.$2js', '$1.$2ts'],
  },
  transform: {
    '^.+\\.ts$': ['@swc/jest'],
    // The one CommonJS source: as an ES module it could not see `require`.
    '^.+\\.cts$': ['@swc/jest', { module: { type: 'commonjs' } }],
  },
  reporters: ['default', ...(process.env.TEST_COUNTS ? ['<rootDir>/scripts/support/count-reporter.mjs'] : [])],
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.{ts,cts}'],
};
