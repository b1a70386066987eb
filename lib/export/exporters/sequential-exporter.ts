import { setTimeout as pause } from 'node:timers/promises';
import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { beforeDeadline } from '../time-limit.js';
import { FAILED, type ExportCallback, type ExportResult } from '../export-result.js';

export interface SequentialOptions {
  /** When an export without an answer counts as failed, in milliseconds. */
  readonly timeout: number;
  /** The time between two exports, in milliseconds. @default 0 */
  readonly gap?: number;
}

/**
 * Passes one export at a time to an exporter that mixes up the spans of concurrent exports, with a gap between two, also if an
 * export has not been answered in time.
 */
export class SequentialExporter implements SpanExporter {
  #last: Promise<void> = Promise.resolve();
  #hasExported = false;
  #isShutDown = false;
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

  /** Fails the pending export and those that wait: an exporter that is shut down may never answer. */
  shutdown(): Promise<void> {
    this.#isShutDown = true;
    this.#stopWaiting();
    return this.exporter.shutdown();
  }

  async #exportAfter(last: Promise<void>, spans: ReadableSpan[], done: ExportCallback): Promise<void> {
    await last;
    const result = await this.#exportOne(spans);
    try {
      done(result);
    } catch {
      // A callback that throws must not keep the next exports from starting.
    }
  }

  async #exportOne(spans: ReadableSpan[]): Promise<ExportResult> {
    const { timeout, gap = 0 } = this.options;
    if (this.#hasExported && gap > 0) await pause(gap);
    this.#hasExported = true;
    if (this.#isShutDown) return SHUT_DOWN;
    let result: ExportResult | undefined;
    const exportSpans = () =>
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
    await beforeDeadline(Date.now() + timeout, exportSpans);
    if (result) return result;
    return this.#isShutDown ? SHUT_DOWN : { code: FAILED, error: new Error(`no answer within ${timeout} ms`) };
  }
}

const SHUT_DOWN: ExportResult = { code: FAILED, error: new Error('the exporter has shut down') };
