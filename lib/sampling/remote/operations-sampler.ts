import type { Sampler } from '../../options/sdk-types.js';

/** Delegates to the sampler for the name of a span, or else to a default sampler. */
export class OperationsSampler implements Sampler {
  constructor(
    private readonly samplerByName: ReadonlyMap<string, Sampler>,
    private readonly defaultSampler: Sampler,
  ) {}

  shouldSample(...args: Parameters<Sampler['shouldSample']>): ReturnType<Sampler['shouldSample']> {
    const [, , name] = args;
    return (this.samplerByName.get(name) ?? this.defaultSampler).shouldSample(...args);
  }

  toString(): string {
    return `OperationsSampler{${[...this.samplerByName.keys()].join(', ')}}`;
  }
}
