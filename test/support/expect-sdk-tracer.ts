import { beforeAll } from '@jest/globals';
import { resolveTracer } from '../../lib/options/tracer.js';

// Otherwise the tests would pass with the other tracer if the default moved to another file.
beforeAll(() => {
  if (resolveTracer(undefined, { type: 'always_on', ratio: 1 }) !== 'sdk')
    throw new Error('jest.sdk.config.mjs does not replace the default tracer.');
});
