import { describe, expect, it } from '@jest/globals';
import { resolveSampler, type SamplerOption } from '../../../lib/options/sampler.js';

const DEFAULTS = {
  type: 'parentbased_jaeger_remote',
  endpoint: 'http://localhost:5778/sampling',
  pollingInterval: 60_000,
  initialRatio: 0.001,
};

describe('a remote sampler', () => {
  it.each<[given: SamplerOption, expected: object]>([
    [{ type: 'jaeger_remote' }, DEFAULTS],
    ['parentbased_jaeger_remote', DEFAULTS],
    ['jaeger_remote', { ...DEFAULTS, type: 'jaeger_remote' }],
    [
      { type: 'jaeger_remote', parentBased: false },
      { ...DEFAULTS, type: 'jaeger_remote' },
    ],
    [
      { type: 'jaeger_remote', endpoint: 'http://jaeger:5778', initialRatio: 1, pollingInterval: 5000 },
      { ...DEFAULTS, endpoint: 'http://jaeger:5778/sampling', initialRatio: 1, pollingInterval: 5000 },
    ],
    [
      { type: 'jaeger_remote', endpoint: 'https://collector:14268/api/sampling' },
      { ...DEFAULTS, endpoint: 'https://collector:14268/api/sampling' },
    ],
  ])('by %j', (given, expected) => {
    expect(resolveSampler(given, {})).toEqual(expected);
  });

  it.each<[argument: string | undefined, expected: object]>([
    [undefined, {}],
    ['endpoint=http://jaeger:5778', { endpoint: 'http://jaeger:5778/sampling' }],
    [
      'endpoint=http://jaeger:14268/api/sampling, pollingIntervalMs=5000, initialSamplingRate=0.25',
      { endpoint: 'http://jaeger:14268/api/sampling', pollingInterval: 5000, initialRatio: 0.25 },
    ],
  ])('by the variables, with the argument %j', (argument, expected) => {
    const env = { OTEL_TRACES_SAMPLER: 'parentbased_jaeger_remote', OTEL_TRACES_SAMPLER_ARG: argument };
    expect(resolveSampler(undefined, env)).toEqual({ ...DEFAULTS, ...expected });
  });

  it.each<[given: object, option: string, fix: string]>([
    [{ type: 'jeager_remote' }, 'sampler.type', 'Did you mean "jaeger_remote"?'],
    [{ type: 'parentbased_jaeger_remote' }, 'sampler.type', 'jaeger_remote'],
    [{ type: 'jaeger_remote', ratio: 0.5 }, 'sampler.ratio', 'There is no such option'],
    [{ type: 'jaeger_remote', endpoint: 'jaeger:5778' }, 'sampler.endpoint', 'http://'],
    [{ type: 'jaeger_remote', endpoint: '' }, 'sampler.endpoint', 'not empty'],
    [{ type: 'jaeger_remote', initialRatio: 2 }, 'sampler.initialRatio', 'from 0 to 1'],
    [{ type: 'jaeger_remote', pollingInterval: 0 }, 'sampler.pollingInterval', 'milliseconds'],
    [{ type: 'jaeger_remote', parentBased: 'maybe' }, 'sampler.parentBased', 'true or false'],
  ])('refuses %j', (given, option, fix) => {
    const resolve = () => resolveSampler(given as SamplerOption, {});
    expect(resolve).toThrow(expect.objectContaining({ option, fix: expect.stringContaining(fix) }));
  });
});
