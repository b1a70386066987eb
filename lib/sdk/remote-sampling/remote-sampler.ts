import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { describeError, warn } from '../../core/diagnostics.js';
import { suppressTracing } from '../../core/suppression.js';
import type { Sampler } from '../../options/sdk-types.js';
import { publicAddress } from '../public-address.js';
import { getJson } from './get-json.js';
import { readStrategy, type Strategy } from './strategy.js';

/** How long Jaeger may take for its answer, in milliseconds. */
const PATIENCE = 5000;

export interface RemoteSamplerOptions {
  /** Where Jaeger answers, with the name of the service. */
  readonly url: string;
  /** Time between an answer and the next question, in milliseconds. */
  readonly pollingInterval: number;
  /** What counts until the first answer. */
  readonly initial: Sampler;
  readonly samplerFor: (strategy: Strategy) => Sampler;
}

/** Samples as Jaeger says, and asks it again and again. While it does not answer, its last word counts. */
export class RemoteSampler implements Sampler {
  #sampler: Sampler;
  #word = '';
  #timer: NodeJS.Timeout | undefined;
  #request: AbortController | undefined;
  #stopped = false;

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

  /** Asks no more. The last word goes on to count. */
  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#request?.abort();
  }

  async #poll(): Promise<void> {
    const { url, pollingInterval } = this.options;
    try {
      this.#follow(await this.#ask());
    } catch (error) {
      if (this.#stopped) return;
      const fate = 'traces are sampled as before';
      warn(
        `sampling:${url}`,
        `${publicAddress(url)} could not be asked how to sample, ${fate} (${describeError(error)}).`,
      );
    }
    if (this.#stopped) return;
    this.#timer = setTimeout(() => void this.#poll(), pollingInterval).unref();
  }

  async #ask(): Promise<unknown> {
    const request = (this.#request = new AbortController());
    const tooLate = () => request.abort(new Error(`no answer within ${PATIENCE} ms`));
    const timer = setTimeout(tooLate, PATIENCE).unref();
    try {
      // Whoever traces outgoing requests is not to see this one.
      return await context.with(suppressTracing(ROOT_CONTEXT), () => getJson(this.options.url, request.signal));
    } finally {
      clearTimeout(timer);
    }
  }

  /** A strategy that has not changed keeps its sampler, which may have counted. */
  #follow(answer: unknown): void {
    const word = JSON.stringify(answer);
    if (word === this.#word) return;
    this.#sampler = this.options.samplerFor(readStrategy(answer));
    this.#word = word;
  }
}
