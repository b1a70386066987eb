import base from './jest.config.mjs';

/** The end-to-end tests with the tracer of OpenTelemetry's SDK, which is one option away. @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['<rootDir>/test/e2e/**/*.spec.ts'],
  // Metrics need no tracer, and the tests of processes run the library outside of Jest.
  testPathIgnorePatterns: ['/metrics-', '/lifecycle-process'],
  setupFilesAfterEnv: [...base.setupFilesAfterEnv, '<rootDir>/test/support/expect-sdk-tracer.ts'],
  moduleNameMapper: {
    '/default-tracer\\.js$': '<rootDir>/test/support/sdk-tracer.ts',
    ...base.moduleNameMapper,
  },
};
