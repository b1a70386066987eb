import process from 'node:process';

/** @type {import('jest').Config} */
export default {
  roots: ['<rootDir>/lib', '<rootDir>/test'],
  testMatch: ['<rootDir>/test/{unit,e2e}/**/*.spec.ts'],
  modulePathIgnorePatterns: ['<rootDir>/test/consumers/'],
  testEnvironment: 'node',
  setupFilesAfterEnv: ['<rootDir>/test/support/every-test-asserts.ts', '<rootDir>/test/support/leave-no-subscriber.ts'],
  testTimeout: 60_000,
  maxWorkers: 2,
  // Modules of earlier specs stay in memory, and each garbage collection takes longer with them: a worker is replaced before that counts.
  workerIdleMemoryLimit: '700MB',
  extensionsToTreatAsEsm: ['.ts'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'cjs', 'json', 'node'],
  moduleNameMapper: {
    '^nestjs-tracing$': '<rootDir>/lib/index.ts',
    '^nestjs-tracing/testing$': '<rootDir>/lib/testing/index.ts',
    '^(\\.{1,2}/.*)\\.js$': ['$1.js', '$1.ts'],
  },
  transform: {
    '^.+\\.ts$': ['@swc/jest'],
  },
  reporters: ['default', ...(process.env.TEST_COUNTS ? ['<rootDir>/scripts/support/count-reporter.mjs'] : [])],
  coverageProvider: 'v8',
  collectCoverageFrom: ['lib/**/*.ts'],
};
