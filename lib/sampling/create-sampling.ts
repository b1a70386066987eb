import type { ResolvedRemoteSampler, ResolvedSampler } from '../options/sampler.js';
import type { Sampler } from '../options/sdk-types.js';
import type { Sampling } from '../tracer/sampling.js';
import { guardSampler } from './guarded-sampler.js';
import { OperationsSampler } from './remote/operations-sampler.js';
import { RateLimitingSampler } from './remote/rate-limiting-sampler.js';
import { RemoteSampler } from './remote/remote-sampler.js';
import type { Strategy } from './remote/strategy.js';
import { alwaysOff, alwaysOn, parentBased, ratioSampler, type TraceIdSampler } from './standard-samplers.js';
import { withTraceBeginnings } from './trace-beginnings.js';

/** The sampling of a pipeline, and a function that stops its work in the background. */
export interface StartedSampling extends Sampling {
  stop(): void;
}

/**
 * Creates the sampling of the options.
 *
 * @param serviceName the service whose strategy a remote sampler requests
 */
export function createSampling(resolved: ResolvedSampler, serviceName: string): StartedSampling {
  if (resolved.type === 'custom') return sampling(guardSampler(resolved.sampler), { isParentBased: false });
  const isParentBased = resolved.type.startsWith('parentbased');
  if ('endpoint' in resolved) {
    const remote = createRemoteSampler(resolved, serviceName);
    return { ...sampling(isParentBased ? parentBased(remote) : remote, { isParentBased }), stop: () => remote.stop() };
  }
  const root = rootSampler(resolved);
  return sampling(isParentBased ? parentBased(root) : root, {
    isParentBased,
    // Nothing is sampled below an unsampled span if nothing is sampled at all.
    isUnsampledInherited: isParentBased || resolved.type === 'always_off',
    samplesTrace: (id) => root.samplesTrace(id),
    keep: resolved.keep,
  });
}

function sampling(
  sampler: Sampler,
  {
    isParentBased,
    isUnsampledInherited = isParentBased,
    samplesTrace,
    keep,
  }: Partial<Omit<Sampling, 'sampler'>> & { isParentBased: boolean },
): StartedSampling {
  return { sampler: withTraceBeginnings(sampler), isParentBased, isUnsampledInherited, samplesTrace, keep, stop() {} };
}

function rootSampler({
  ratio,
  type,
}: Exclude<ResolvedSampler, ResolvedRemoteSampler | { type: 'custom' }>): TraceIdSampler {
  if (type.endsWith('always_on')) return alwaysOn;
  return type.endsWith('always_off') ? alwaysOff : ratioSampler(ratio);
}

function createRemoteSampler(
  { endpoint, initialRatio, pollingInterval }: ResolvedRemoteSampler,
  serviceName: string,
): RemoteSampler {
  const url = new URL(endpoint);
  url.searchParams.set('service', serviceName);
  return new RemoteSampler({ url: url.href, pollingInterval, initial: ratioSampler(initialRatio), samplerFor });
}

function samplerFor(strategy: Strategy): Sampler {
  if (strategy.kind === 'ratio') return ratioSampler(strategy.ratio);
  if (strategy.kind === 'rate') return new RateLimitingSampler(strategy.perSecond);
  const samplers = [...strategy.ratioOf].map(([name, ratio]) => [name, ratioSampler(ratio)] as const);
  return new OperationsSampler(new Map(samplers), ratioSampler(strategy.ratio));
}
