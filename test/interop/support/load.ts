import { randomBytes } from 'node:crypto';

/** The time between two requests, in milliseconds. A request does not wait for the one before. */
const INTERVAL = 10;
/** The time limit for a request, in milliseconds. */
const PATIENCE = 10_000;

export interface Answered {
  readonly traceId: string;
  readonly status: number;
  /** The time at which it was sent, from `performance.now()`. */
  readonly at: number;
  /** Its duration in milliseconds. */
  readonly took: number;
}

/** Sends requests to an application, each in its own trace, whose id the test knows. */
export class Load {
  readonly answers: Answered[] = [];
  readonly #under = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  #wake: (() => void)[] = [];

  constructor(private readonly url: string) {
    this.#timer = setInterval(() => {
      const request = this.#send().finally(() => this.#under.delete(request));
      this.#under.add(request);
    }, INTERVAL);
  }

  /** Resolves when this number of further requests has been answered. */
  async answered(count: number): Promise<void> {
    const wanted = this.answers.length + count;
    while (this.answers.length < wanted) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#under);
  }

  async #send(): Promise<void> {
    const traceId = randomBytes(16).toString('hex');
    const at = performance.now();
    const status = await this.#status({ traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01` });
    this.answers.push({ traceId, status, at, took: performance.now() - at });
    for (const wake of this.#wake.splice(0)) wake();
  }

  /** The status code. Zero if no answer arrived. */
  async #status(headers: Record<string, string>): Promise<number> {
    try {
      const response = await fetch(this.url, { headers, signal: AbortSignal.timeout(PATIENCE) });
      await response.arrayBuffer();
      return response.status;
    } catch {
      return 0;
    }
  }
}

/** Returns the time that this share of the times does not exceed. */
export function percentile(answers: readonly Answered[], share: number): number {
  const times = answers.map(({ took }) => took).toSorted((a, b) => a - b);
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
}
