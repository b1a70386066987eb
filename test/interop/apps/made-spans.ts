import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

/** Keeps the spans of an application until it writes them. */
export class MadeSpans implements SpanExporter {
  readonly #spans: ReadableSpan[] = [];

  export(finished: ReadableSpan[], done: Parameters<SpanExporter['export']>[1]): void {
    this.#spans.push(...finished);
    done({ code: 0 });
  }

  async shutdown(): Promise<void> {}

  /** Writes each span to the standard output, as a line with its maker and its place: `maker: name < parent`. */
  write(): void {
    const names = new Map(this.#spans.map((span) => [span.spanContext().spanId, span.name]));
    const lines = this.#spans.map((span) => {
      const parent = span.parentSpanContext && names.get(span.parentSpanContext.spanId);
      const links = span.links.map(({ context }) => ` ~ ${names.get(context.spanId)}`);
      return `${span.instrumentationScope.name}: ${[span.name, parent].filter(Boolean).join(' < ')}${links.join('')}\n`;
    });
    process.stdout.write(lines.toSorted().join(''));
  }
}
