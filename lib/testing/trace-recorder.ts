import type { SamplerOption } from '../options/sampler.js';
import { TracingConfigurationError } from '../tracing.errors.js';
import type { SpanSnapshot } from './span-snapshot.js';
import { SequentialIds } from './sequential-ids.js';
import { describeMatch, matchesSpan, type SpanMatch } from './span-pattern.js';
import { SpanStore } from './span-store.js';
import { toTraces, type RecordedTrace } from './span-tree.js';
import { renderTrace, type TreeOptions } from './trace-text.js';

/** How spans are recorded in a test. */
export interface TraceRecorderOptions {
  /**
   * The ids of traces and spans. `sequential` ids are 1, 2, 3 and so on, and begin again at each `reset()`, so that texts with ids can be
   * compared.
   * @default 'random'
   */
  readonly ids?: 'random' | 'sequential' | undefined;

  /**
   * The time at which all spans start and end, as a date or in milliseconds since the epoch.
   * @default the time goes on
   */
  readonly time?: Date | number | undefined;

  /**
   * The sampler. By default every span is recorded, whatever the application and the caller have decided.
   * @default 'always_on'
   */
  readonly sampler?: SamplerOption | undefined;

  /**
   * The longest time that `settled()`, `waitForSpan()` and so on wait, in milliseconds.
   * @default 4000
   */
  readonly timeout?: number | undefined;
}

/** The default is shorter than the limit of Jest and Vitest for a test, whose message would not say what is missing. */
const TIMEOUT = 4_000;

/** The parts of a recorder that the rest of this folder uses. */
export interface RecorderParts {
  readonly store: SpanStore;
  readonly ids: SequentialIds | undefined;
  /** In milliseconds since the epoch. Undefined if the time goes on. */
  readonly time: number | undefined;
  readonly options: TraceRecorderOptions;
  traces(): readonly RecordedTrace[];
}

/** Returns the parts of a recorder. Undefined for anything else. */
export let partsOf: (recorder: unknown) => RecorderParts | undefined;

/** Records the spans of applications under test. It keeps them in memory, until `reset()` is called. */
export class TraceRecorder {
  readonly #parts: RecorderParts;

  static {
    partsOf = (recorder) =>
      typeof recorder === 'object' && recorder !== null && #parts in recorder ? recorder.#parts : undefined;
  }

  /** @throws TracingConfigurationError */
  constructor(options: TraceRecorderOptions = {}) {
    const store = new SpanStore();
    this.#parts = {
      store,
      ids: options.ids === 'sequential' ? new SequentialIds() : undefined,
      time: fixedTime(options.time),
      options,
      traces: () => toTraces(store.states),
    };
  }

  /** Returns the spans that have ended, in the order in which they have started. */
  spans(): readonly SpanSnapshot[] {
    return this.#parts.store.finished;
  }

  /** Returns the spans that have started and not ended, with the properties that they have so far. */
  openSpans(): readonly SpanSnapshot[] {
    return this.#parts.store.open;
  }

  /**
   * Returns the traces as text, oldest first: a line for each span, with its name, its kind unless it is INTERNAL, and its exception. `✗`
   * marks a span with the status ERROR, `…` one that has not ended.
   */
  trees(options?: TreeOptions): readonly string[] {
    return this.#parts.traces().map((trace) => renderTrace(trace, options));
  }

  /** Returns the first span that has ended and matches. Undefined if there is none. */
  find(match: SpanMatch): SpanSnapshot | undefined {
    return this.spans().find((span) => matchesSpan(span, match));
  }

  /**
   * Returns the first span that has ended and matches.
   *
   * @throws Error with the recorded traces, if there is none
   */
  get(match: SpanMatch): SpanSnapshot {
    const found = this.find(match);
    if (!found) throw this.#error(`No span matches ${describeMatch(match)}.`);
    return found;
  }

  /**
   * Waits until all spans that have started have ended. A response reaches its client before the span of the request ends.
   *
   * @throws Error with the recorded traces, if the time is up before
   */
  async settled(): Promise<void> {
    await this.#waitUntil(() => this.openSpans().length === 0 || undefined, 'until all spans have ended');
  }

  /**
   * Waits until a span that matches has ended, and returns it.
   *
   * @throws Error with the recorded traces, if the time is up before
   */
  waitForSpan(match: SpanMatch): Promise<SpanSnapshot> {
    return this.#waitUntil(() => this.find(match), `for a span that matches ${describeMatch(match)}`);
  }

  /**
   * Waits until a number of spans have ended, and returns all that have.
   *
   * @throws Error with the recorded traces, if the time is up before
   */
  waitForSpans(count: number): Promise<readonly SpanSnapshot[]> {
    const ended = () => (this.spans().length >= count ? this.spans() : undefined);
    return this.#waitUntil(ended, `for ${count} spans`);
  }

  /**
   * Waits until a span that matches has ended and no span of its trace is open, and returns the spans of the trace.
   *
   * @throws Error with the recorded traces, if the time is up before
   */
  waitForTrace(match: SpanMatch): Promise<readonly SpanSnapshot[]> {
    return this.#waitUntil(
      () => this.#wholeTrace(match),
      `for the trace of a span that matches ${describeMatch(match)}`,
    );
  }

  /** Forgets all spans, also those that are open. Sequential ids begin again. */
  reset(): void {
    this.#parts.store.reset();
    this.#parts.ids?.restart();
  }

  #wholeTrace(match: SpanMatch): readonly SpanSnapshot[] | undefined {
    const open = new Set(this.openSpans().map(({ traceId }) => traceId));
    const member = this.spans().find((span) => !open.has(span.traceId) && matchesSpan(span, match));
    return member && this.spans().filter(({ traceId }) => traceId === member.traceId);
  }

  async #waitUntil<T>(look: () => T | undefined, purpose: string): Promise<T> {
    const { options, store } = this.#parts;
    const { timeout = TIMEOUT } = options;
    const deadline = performance.now() + timeout;
    for (;;) {
      const seen = look();
      if (seen !== undefined) return seen;
      if (performance.now() >= deadline) throw this.#error(`Waited ${timeout} ms ${purpose}.`);
      await store.change(deadline);
    }
  }

  #error(message: string): Error {
    return new Error(`${message}\n${describeTraces(this.trees())}`);
  }
}

function fixedTime(given: TraceRecorderOptions['time']): number | undefined {
  if (given === undefined || Number.isFinite(Number(given))) return given && Number(given);
  throw new TracingConfigurationError('time', String(given), 'Give a valid date, or milliseconds since the epoch.');
}

/** Describes recorded traces, for a message. */
export function describeTraces(trees: readonly string[]): string {
  if (trees.length > 0) return `These spans were recorded:\n\n${trees.join('\n\n')}\n`;
  return 'No span was recorded. Only spans of applications with TracingTestModule.record() are, and none if another SDK has registered a tracer provider.';
}
