import type { ReadableSpan, SpanExporter } from '../../options/sdk-types.js';
import { SUCCESS, type ExportCallback } from '../types.js';
import { processTags, thriftSpan, type ProcessTag } from './thrift-span.js';

/** Hands spans to a Jaeger exporter in the form it needs. It is made with the first of them, which says whose they all are. */
export class ThriftExporter implements SpanExporter {
  #exporter: SpanExporter | undefined;

  constructor(private readonly create: (tags: readonly ProcessTag[]) => SpanExporter) {}

  export(spans: ReadableSpan[], done: ExportCallback): void {
    const [first] = spans;
    if (!first) return done({ code: SUCCESS });
    this.#exporter ??= this.create(processTags(first));
    this.#exporter.export(spans.map(thriftSpan), done);
  }

  async forceFlush(): Promise<void> {
    await this.#exporter?.forceFlush?.();
  }

  async shutdown(): Promise<void> {
    await this.#exporter?.shutdown();
  }
}
