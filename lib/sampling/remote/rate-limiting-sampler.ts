import type { Sampler } from '../../options/sdk-types.js';

/** `SamplingDecision` of the SDK. */
const NOT_RECORD = 0;
const RECORD_AND_SAMPLED = 2;

/** Samples a number of traces per second. With a rate below one, it samples a trace every few seconds. */
export class RateLimitingSampler implements Sampler {
  #credit: number;
  #updatedAt: number;

  /** @param now a monotonic clock in milliseconds */
  constructor(
    private readonly perSecond: number,
    private readonly now = () => performance.now(),
  ) {
    this.#credit = perSecond > 0 ? this.#maxCredit : 0;
    this.#updatedAt = now();
  }

  shouldSample(): ReturnType<Sampler['shouldSample']> {
    const now = this.now();
    this.#credit = Math.min(this.#maxCredit, this.#credit + ((now - this.#updatedAt) / 1000) * this.perSecond);
    this.#updatedAt = now;
    if (this.#credit < 1) return { decision: NOT_RECORD };
    this.#credit--;
    return { decision: RECORD_AND_SAMPLED };
  }

  toString(): string {
    return `RateLimitingSampler{${this.perSecond}}`;
  }

  get #maxCredit(): number {
    return Math.max(1, this.perSecond);
  }
}
