import type { Sampler } from '../../options/sdk-types.js';

/** Asks a sampler for the spans that begin with a certain name, and another for all the others. */
export class OperationsSampler implements Sampler {
  constructor(
    private readonly samplerOf: ReadonlyMap<string, Sampler>,
    private readonly others: Sampler,
  ) {}

  shouldSample(...args: Parameters<Sampler['shouldSample']>): ReturnType<Sampler['shouldSample']> {
    const [, , name] = args;
    return (this.samplerOf.get(name) ?? this.others).shouldSample(...args);
  }

  toString(): string {
    return `OperationsSampler{${[...this.samplerOf.keys()].join(', ')}}`;
  }
}
