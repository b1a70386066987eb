import { setTimeout as pause } from 'node:timers/promises';
import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { beforeDeadline } from '../time-limit.js';
import { FAILED, type ExportCallback, type ExportResult } from '../types.js';

export interface SequentialOptions {
  /** How long the exporter may take for its answer, in milliseconds. */
  readonly patience: number;
  /** Time between two exports, in milliseconds. @default 0 */
  readonly gap?: number;
}

/**
 * Lets one export through at a time, for an exporter that mixes up what it is given at once.
 *
 * A flush of the SDK begins all its exports together.
 */
export class SequentialExporter implements SpanExporter {
  #last: Promise<void> = Promise.resolve();
  #begun = false;
  #closed = false;
  #stopWaiting: () => void = () => {};

  constructor(
    private readonly exporter: SpanExporter,
    private readonly options: SequentialOptions,
  ) {}

  export(spans: ReadableSpan[], done: ExportCallback): void {
    this.#last = this.#exportAfter(this.#last, spans, done);
  }

  async forceFlush(): Promise<void> {
    await this.exporter.forceFlush?.();
  }

  /** Gives up what is under way and what waits: an exporter that has shut down may never answer, and would be waited for. */
  shutdown(): Promise<void> {
    this.#closed = true;
    this.#stopWaiting();
    return this.exporter.shutdown();
  }

  async #exportAfter(last: Promise<void>, spans: ReadableSpan[], done: ExportCallback): Promise<void> {
    await last;
    const result = await this.#exportOne(spans);
    try {
      done(result);
    } catch {
      // It must not keep the exports that follow from being made.
    }
  }

  async #exportOne(spans: ReadableSpan[]): Promise<ExportResult> {
    const { patience, gap = 0 } = this.options;
    if (this.#begun && gap > 0) await pause(gap);
    this.#begun = true;
    if (this.#closed) return CLOSED;
    let result: ExportResult | undefined;
    const answered = () =>
      new Promise<void>((resolve) => {
        this.#stopWaiting = resolve;
        const answer = (given: ExportResult) => {
          result = given;
          resolve();
        };
        try {
          this.exporter.export(spans, answer);
        } catch (error) {
          answer({ code: FAILED, error: error as Error });
        }
      });
    await beforeDeadline(Date.now() + patience, answered);
    if (result) return result;
    return this.#closed ? CLOSED : { code: FAILED, error: new Error(`no answer within ${patience} ms`) };
  }
}

const CLOSED: ExportResult = { code: FAILED, error: new Error('the exporter has shut down') };
