import { createRequire } from 'node:module';
import { describe, expect, it } from '@jest/globals';
import { loadFromSdk } from '../../../lib/sdk/packages.js';

describe('loadFromSdk', () => {
  const own = createRequire(import.meta.url);
  const sdk = createRequire(own.resolve('@opentelemetry/sdk-node'));

  it.each(['core', 'resources', 'sdk-trace', 'propagator-b3', 'exporter-trace-otlp-proto'])(
    'takes %s from the tree of the SDK, whatever lies beside us',
    (name) => {
      expect(loadFromSdk(`@opentelemetry/${name}`)).toBe(sdk(`@opentelemetry/${name}`));
    },
  );

  it('resolves a package from the library if the SDK does not have it', () => {
    expect(loadFromSdk('reflect-metadata')).toBe(own('reflect-metadata'));
    expect(() => loadFromSdk('not-to-be-found')).toThrow(/not-to-be-found/);
  });
});
