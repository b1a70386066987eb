import { TracingConfigurationError } from '../tracing.errors.js';
import type { RatioSamplerOptions, Sampler, SamplerName, SamplerOption } from '../tracing.options.js';
import { knownKeys } from './known-keys.js';
import { flag, fraction, oneOf } from './parse.js';
import type { ResolvedSampler } from './resolved-options.js';
import { firstOf, option, variable, type Setting } from './setting.js';

const NAMES: readonly SamplerName[] = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
];

/** Settles which traces are kept. */
export function resolveSampler(given: SamplerOption | undefined, env: NodeJS.ProcessEnv): ResolvedSampler {
  const setting = firstOf(option('sampler', given), variable(env, 'OTEL_TRACES_SAMPLER'));
  if (!setting) return byName('parentbased_always_on', env);
  const { value } = setting;
  if (typeof value === 'object' && value !== null) {
    return isSampler(value) ? Object.freeze({ type: 'custom', sampler: value }) : byRatio(value);
  }
  if (typeof value === 'number') {
    throw new TracingConfigurationError('sampler', value, `For a share of the traces, write { ratio: ${value} }.`);
  }
  return byName(oneOf(setting, NAMES), env);
}

function byName(type: SamplerName, env: NodeJS.ProcessEnv): ResolvedSampler {
  if (!type.endsWith('traceidratio')) return Object.freeze({ type, ratio: type.endsWith('off') ? 0 : 1 });
  const argument: Setting | undefined = variable(env, 'OTEL_TRACES_SAMPLER_ARG');
  return Object.freeze({ type, ratio: argument ? fraction(argument) : 1 });
}

function byRatio(value: object): ResolvedSampler {
  const options = knownKeys<RatioSamplerOptions>('sampler', value, ['ratio', 'parentBased']);
  const ratio = option('sampler.ratio', options.ratio);
  if (!ratio) {
    const fix = 'Give a number from 0 to 1. If it comes from your configuration, give that a default.';
    throw new TracingConfigurationError('sampler.ratio', undefined, fix);
  }
  const parentBased = option('sampler.parentBased', options.parentBased);
  const type = !parentBased || flag(parentBased) ? 'parentbased_traceidratio' : 'traceidratio';
  return Object.freeze({ type, ratio: fraction(ratio) });
}

function isSampler(value: object): value is Sampler {
  return 'shouldSample' in value && typeof value.shouldSample === 'function';
}
