import { randomBytes } from 'node:crypto';

/** Time between two requests, in milliseconds. They do not wait for one another. */
const INTERVAL = 10;
/** How long one may take, in milliseconds. */
const PATIENCE = 10_000;

export interface Answered {
  readonly traceId: string;
  readonly status: number;
  /** When it was sent, as `performance.now()` has it. */
  readonly at: number;
  /** How long it took, in milliseconds. */
  readonly took: number;
}

/** Sends requests to an application, each in a trace of its own that is known here. */
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

  /** Resolves when so many more requests have been answered. */
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

  /** Zero where there was no answer. */
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

/** Below this stays this share of the times. */
export function percentile(answers: readonly Answered[], share: number): number {
  const times = answers.map(({ took }) => took).toSorted((a, b) => a - b);
  return times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? Number.NaN;
}
