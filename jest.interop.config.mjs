import base from './jest.config.mjs';

/** @type {import('jest').Config} */
export default {
  ...base,
  testMatch: ['<rootDir>/test/{interop,grafana}/**/*.spec.ts'],
  testTimeout: 60_000,
  // One at a time: they measure, and each has a Jaeger and applications of its own.
  maxWorkers: 1,
};
