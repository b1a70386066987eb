import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { SUCCESS, type ExportCallback } from '../export-result.js';
import { processTags, toThriftSpan, type ProcessTag } from './thrift-span.js';

/**
 * Passes spans to a Jaeger exporter in the form that it needs. The exporter is created with the first span, because it takes the
 * resource of all spans when it is created.
 */
export class ThriftExporter implements SpanExporter {
  #exporter: SpanExporter | undefined;

  constructor(private readonly create: (tags: readonly ProcessTag[]) => SpanExporter) {}

  export(spans: ReadableSpan[], done: ExportCallback): void {
    const [first] = spans;
    if (!first) return done({ code: SUCCESS });
    this.#exporter ??= this.create(processTags(first));
    this.#exporter.export(spans.map(toThriftSpan), done);
  }

  async forceFlush(): Promise<void> {
    await this.#exporter?.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await this.#exporter?.shutdown();
  }
}
