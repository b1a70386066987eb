import { isSampled } from '../core/sampled.js';
import type { ReadableSpan } from '../options/sdk-types.js';
import { BatchExporter } from './batch-exporter.js';

/** Takes finished spans to one backend. It works as a span processor of the SDK. */
export class ExportProcessor<Item extends object = ReadableSpan> extends BatchExporter<Item, ReadableSpan> {
  onStart(span: ReadableSpan): void {
    this.transport.onStart?.(span);
  }

  onEnd(span: ReadableSpan): void {
    if (isSampled(span)) this.accept(span);
  }
}
