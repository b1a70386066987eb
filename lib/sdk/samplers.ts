import type { ResolvedRemoteSampler, ResolvedSampler } from '../options/sampler.js';
import type { Sampler } from '../options/sdk-types.js';
import { guardSampler } from './guarded-sampler.js';
import { loadFromSdk } from './packages.js';
import { OperationsSampler } from './remote-sampling/operations-sampler.js';
import { RateLimitingSampler } from './remote-sampling/rate-limiting-sampler.js';
import { RemoteSampler } from './remote-sampling/remote-sampler.js';
import type { Strategy } from './remote-sampling/strategy.js';

interface SamplerPackage {
  AlwaysOnSampler: new () => Sampler;
  AlwaysOffSampler: new () => Sampler;
  TraceIdRatioBasedSampler: new (ratio: number) => Sampler;
  ParentBasedSampler: new (config: { root: Sampler }) => Sampler;
}

/** A sampler, and a function that stops its work in the background. */
export interface Sampling {
  readonly sampler: Sampler;
  stop(): void;
}

/**
 * Creates the sampler of the options.
 *
 * @param serviceName the service whose strategy a remote sampler requests
 */
export function createSampler(resolved: ResolvedSampler, serviceName: string): Sampling {
  if (resolved.type === 'custom') return { sampler: guardSampler(resolved.sampler), stop() {} };
  const sdk = loadFromSdk<SamplerPackage>('@opentelemetry/sdk-trace');
  if ('endpoint' in resolved) return createRemoteSampler(sdk, resolved, serviceName);
  const byName = {
    always_on: () => new sdk.AlwaysOnSampler(),
    always_off: () => new sdk.AlwaysOffSampler(),
    traceidratio: () => new sdk.TraceIdRatioBasedSampler(resolved.ratio),
    parentbased_always_on: () => new sdk.ParentBasedSampler({ root: byName.always_on() }),
    parentbased_always_off: () => new sdk.ParentBasedSampler({ root: byName.always_off() }),
    parentbased_traceidratio: () => new sdk.ParentBasedSampler({ root: byName.traceidratio() }),
  };
  return { sampler: byName[resolved.type](), stop() {} };
}

function createRemoteSampler(sdk: SamplerPackage, resolved: ResolvedRemoteSampler, serviceName: string): Sampling {
  const ratioSampler = (ratio: number) => new sdk.TraceIdRatioBasedSampler(ratio);
  const samplerFor = (strategy: Strategy): Sampler => {
    if (strategy.kind === 'ratio') return ratioSampler(strategy.ratio);
    if (strategy.kind === 'rate') return new RateLimitingSampler(strategy.perSecond);
    const samplers = [...strategy.ratioOf].map(([name, ratio]) => [name, ratioSampler(ratio)] as const);
    return new OperationsSampler(new Map(samplers), ratioSampler(strategy.ratio));
  };
  const url = new URL(resolved.endpoint);
  url.searchParams.set('service', serviceName);
  const { pollingInterval, initialRatio } = resolved;
  const remote = new RemoteSampler({ url: url.href, pollingInterval, initial: ratioSampler(initialRatio), samplerFor });
  const isParentBased = resolved.type === 'parentbased_jaeger_remote';
  return {
    sampler: isParentBased ? new sdk.ParentBasedSampler({ root: remote }) : remote,
    stop: () => remote.stop(),
  };
}
