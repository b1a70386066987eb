/** A span as a backend stores it. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** Undefined at the root. */
  readonly parentId: string | undefined;
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** In milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly failed: boolean;
  readonly attributes: Attributes;
  readonly events: readonly SpanEvent[];
}

export interface SpanEvent {
  readonly name: string;
  readonly time: number;
  readonly attributes: Attributes;
}

export type Attributes = Readonly<Record<string, string | number | boolean>>;
export type SpanKind = 'INTERNAL' | 'SERVER' | 'CLIENT' | 'PRODUCER' | 'CONSUMER';

/** A span with its children, in the order of their start. */
export interface SpanTree {
  readonly span: Span;
  readonly children: readonly SpanTree[];
}

/** Arranges the spans of a trace as trees: as one tree, if no parent is missing. */
export function treesOf(spans: readonly Span[]): SpanTree[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const below = (parent: string | undefined): SpanTree[] =>
    spans
      .filter(({ parentId }) => (parentId !== undefined && known.has(parentId) ? parentId : undefined) === parent)
      .toSorted((a, b) => a.start - b.start)
      .map((span) => ({ span, children: below(span.spanId) }));
  return below(undefined);
}
