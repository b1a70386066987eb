import { setTimeout as pause } from 'node:timers/promises';

/** The time between two queries, in milliseconds: an HTTP API cannot notify its client. */
const INTERVAL = 50;
/** The time that spans may take from the service that has sent them to the answers of Jaeger, in milliseconds. */
const PATIENCE = 10_000;

export interface JaegerTag {
  readonly key: string;
  readonly type: string;
  readonly value: unknown;
}

export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { readonly refType: string; readonly traceID: string; readonly spanID: string }[];
  /** The time in microseconds. */
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { readonly timestamp: number; readonly fields: readonly JaegerTag[] }[];
  readonly processID: string;
  readonly warnings: readonly string[] | null;
}

export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Readonly<Record<string, { readonly serviceName: string; readonly tags?: readonly JaegerTag[] }>>;
}

export interface JaegerDependency {
  readonly parent: string;
  readonly child: string;
  readonly callCount: number;
}

/** Jaeger's own HTTP API, with which its user interface works. */
export class JaegerQuery {
  constructor(private readonly url: string) {}

  async services(): Promise<string[]> {
    return ((await this.#get<string[]>('/api/services')) ?? []).toSorted();
  }

  /** A description such as `GET /orders (server)`. */
  async operations(service: string): Promise<string[]> {
    type Operation = { name: string; spanKind: string };
    const found = await this.#get<Operation[]>(`/api/operations?service=${encodeURIComponent(service)}`);
    return (found ?? []).map(({ name, spanKind }) => `${name} (${spanKind})`).toSorted();
  }

  /** The trace. Undefined if none of its spans has arrived. */
  async trace(traceId: string): Promise<JaegerTrace | undefined> {
    return (await this.#get<JaegerTrace[]>(`/api/traces/${traceId}`))?.[0];
  }

  async dependencies(): Promise<JaegerDependency[]> {
    const range = `endTs=${Date.now() + 1000}&lookback=3600000`;
    return (await this.#get<JaegerDependency[]>(`/api/dependencies?${range}`)) ?? [];
  }

  /** Resolves with the trace as soon as it has this many spans, or with the incomplete trace after the time limit. */
  async traceOf(spans: number, traceId: string): Promise<JaegerTrace> {
    const nothing: JaegerTrace = { traceID: traceId, spans: [], processes: {} };
    const ask = async () => (await this.trace(traceId)) ?? nothing;
    return until(ask, (trace) => trace.spans.length >= spans, PATIENCE);
  }

  /** Resolves with the number of spans of these traces that have arrived, when all have arrived or no more of them arrive. */
  async spanCount(traceIds: readonly string[], wanted: number, patience = PATIENCE): Promise<number> {
    const ask = async () => {
      let count = 0;
      for (const traceId of traceIds) count += (await this.trace(traceId))?.spans.length ?? 0;
      return count;
    };
    return until(ask, (count) => count >= wanted, patience);
  }

  /** The traces among these that have arrived. */
  async known(traceIds: readonly string[]): Promise<Set<string>> {
    const known = new Set<string>();
    for (const traceId of traceIds) if (await this.trace(traceId)) known.add(traceId);
    return known;
  }

  /** Resolves when Jaeger answers for the first time. */
  async answering(patience: number): Promise<void> {
    const answers = () => this.services().then(Boolean, () => false);
    if (!(await until(answers, Boolean, patience))) throw new Error(`Jaeger does not answer at ${this.url}`);
  }

  async #get<T>(path: string): Promise<T | undefined> {
    const response = await fetch(this.url + path, { signal: AbortSignal.timeout(PATIENCE) });
    const text = await response.text();
    if (response.status === 404) return undefined;
    if (!response.ok) throw new Error(`Jaeger answered ${response.status} to ${path}: ${text}`);
    return (JSON.parse(text) as { data: T | null }).data ?? undefined;
  }
}

/** Repeats the query until the answer is as expected or the time is over. Returns the last answer. */
export async function until<T>(
  ask: () => T | Promise<T>,
  wanted: (answer: T) => boolean,
  milliseconds = PATIENCE,
): Promise<T> {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const answer = await ask();
    if (wanted(answer) || Date.now() > deadline) return answer;
    await pause(INTERVAL);
  }
}
