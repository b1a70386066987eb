import type { ResolvedSampler } from '../options/resolved-options.js';
import type { Sampler } from '../tracing.options.js';
import { loadFromSdk } from './packages.js';

interface SamplerPackage {
  AlwaysOnSampler: new () => Sampler;
  AlwaysOffSampler: new () => Sampler;
  TraceIdRatioBasedSampler: new (ratio: number) => Sampler;
  ParentBasedSampler: new (config: { root: Sampler }) => Sampler;
}

/** The SDK's sampler for what was chosen. */
export function createSampler(resolved: ResolvedSampler): Sampler {
  if (resolved.type === 'custom') return resolved.sampler;
  const sdk = loadFromSdk<SamplerPackage>('@opentelemetry/sdk-trace');
  const byName = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(resolved.ratio),
    parentbased_always_on: () => new sdk.ParentBasedSampler({ root: byName.always_on() }),
    parentbased_always_off: () => new sdk.ParentBasedSampler({ root: byName.always_off() }),
    parentbased_traceidratio: () => new sdk.ParentBasedSampler({ root: byName.traceidratio() }),
  };
  return byName[resolved.type]();
}
