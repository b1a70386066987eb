import { setTimeout as pause } from 'node:timers/promises';
import type { ReadableSpan, SpanExporter } from '../../tracing.options.js';
import { beforeDeadline } from '../time-limit.js';
import { FAILED, SUCCESS, type ExportCallback, type ExportResult } from '../types.js';

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

  shutdown(): Promise<void> {
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
    let result: ExportResult = { code: FAILED, error: new Error(`no answer within ${patience} ms`) };
    const answered = () =>
      new Promise<void>((resolve) => {
        this.exporter.export(spans, (answer) => {
          result = answer;
          resolve();
        });
      });
    await beforeDeadline(Date.now() + patience, answered);
    return result;
  }
}
