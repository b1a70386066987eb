import type { Sampler } from '../../options/sdk-types.js';

/** `SamplingDecision` of the SDK. */
const NOT_RECORD = 0;
const RECORD_AND_SAMPLED = 2;

/** Keeps so many traces a second, and of a rate below one a trace every few seconds. */
export class RateLimitingSampler implements Sampler {
  #credit: number;
  #updatedAt: number;

  /** @param now a clock in milliseconds that nobody sets */
  constructor(
    private readonly perSecond: number,
    private readonly now = () => performance.now(),
  ) {
    this.#credit = perSecond > 0 ? this.#most : 0;
    this.#updatedAt = now();
  }

  shouldSample(): ReturnType<Sampler['shouldSample']> {
    const now = this.now();
    this.#credit = Math.min(this.#most, this.#credit + ((now - this.#updatedAt) / 1000) * this.perSecond);
    this.#updatedAt = now;
    if (this.#credit < 1) return { decision: NOT_RECORD };
    this.#credit--;
    return { decision: RECORD_AND_SAMPLED };
  }

  toString(): string {
    return `RateLimitingSampler{${this.perSecond}}`;
  }

  get #most(): number {
    return Math.max(1, this.perSecond);
  }
}
