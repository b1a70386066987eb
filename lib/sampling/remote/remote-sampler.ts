import { context } from '@opentelemetry/api';
import { describeError, warn } from '../../core/diagnostics.js';
import { outsideOfRequests } from '../../core/suppression.js';
import type { Sampler } from '../../options/sdk-types.js';
import { publicAddress } from '../../core/public-address.js';
import { getJson } from './get-json.js';
import { readStrategy, type Strategy } from './strategy.js';

/** The time that Jaeger has for its answer, in milliseconds. */
const ANSWER_TIMEOUT = 5000;

export interface RemoteSamplerOptions {
  /** The address of Jaeger's sampling API, with the name of the service. */
  readonly url: string;
  /** The time between an answer and the next request, in milliseconds. */
  readonly pollingInterval: number;
  /** The sampler until the first answer. */
  readonly initial: Sampler;
  readonly samplerFor: (strategy: Strategy) => Sampler;
}

/** Samples by the strategy of Jaeger, which it requests at an interval. While Jaeger does not answer, the last strategy counts. */
export class RemoteSampler implements Sampler {
  #sampler: Sampler;
  #lastAnswer = '';
  #timer: NodeJS.Timeout | undefined;
  #abortController: AbortController | undefined;
  #isStopped = false;

  constructor(private readonly options: RemoteSamplerOptions) {
    this.#sampler = options.initial;
    void this.#poll();
  }

  shouldSample(...args: Parameters<Sampler['shouldSample']>): ReturnType<Sampler['shouldSample']> {
    return this.#sampler.shouldSample(...args);
  }

  toString(): string {
    return `RemoteSampler{${this.options.url}, ${this.#sampler.toString()}}`;
  }

  /** Requests no more strategies. The last one still counts. */
  stop(): void {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#abortController?.abort();
  }

  async #poll(): Promise<void> {
    const { url, pollingInterval } = this.options;
    try {
      this.#apply(await this.#request());
    } catch (error) {
      if (this.#isStopped) return;
      const fate = 'traces are sampled as before';
      warn(
        `sampling:${url}`,
        `${publicAddress(url)} could not be asked how to sample, ${fate} (${describeError(error)}).`,
      );
    }
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.#poll(), pollingInterval).unref();
  }

  async #request(): Promise<unknown> {
    const controller = (this.#abortController = new AbortController());
    const onTimeout = () => controller.abort(new Error(`no answer within ${ANSWER_TIMEOUT} ms`));
    const timer = setTimeout(onTimeout, ANSWER_TIMEOUT).unref();
    try {
      // Suppressed, so that no instrumentation of outgoing requests records this one.
      return await context.with(outsideOfRequests(), () => getJson(this.options.url, controller.signal));
    } finally {
      clearTimeout(timer);
    }
  }

  /** Keeps the sampler of a strategy that has not changed, because it may count traces. */
  #apply(answer: unknown): void {
    const text = JSON.stringify(answer);
    if (text === this.#lastAnswer) return;
    this.#sampler = this.options.samplerFor(readStrategy(answer));
    this.#lastAnswer = text;
  }
}
