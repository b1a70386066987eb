import type { ReadableSpan } from 'nestjs-tracing';

/** A span that a trace must have, with exactly these children. */
export interface ExpectedSpan {
  name: string;
  children?: ExpectedSpan[];
}

/** True if a request for `path` has one trace, with exactly the expected spans, each below its parent. */
export function isComplete(spans: readonly ReadableSpan[], path: string, expected: ExpectedSpan): boolean {
  const roots = spans.filter((span) => span.attributes['url.path'] === path);
  const [root] = roots;
  if (!root || roots.length > 1 || root.parentSpanContext) return false;
  const trace = spans.filter((span) => span.spanContext().traceId === root.spanContext().traceId);
  return trace.length === count(expected) && matches(root, expected, trace);
}

function matches(span: ReadableSpan, expected: ExpectedSpan, trace: readonly ReadableSpan[]): boolean {
  const children = trace.filter((other) => other.parentSpanContext?.spanId === span.spanContext().spanId);
  const wanted = expected.children ?? [];
  return (
    span.name === expected.name &&
    span.ended &&
    children.length === wanted.length &&
    wanted.every((want) => children.some((child) => matches(child, want, trace)))
  );
}

function count(expected: ExpectedSpan): number {
  return (expected.children ?? []).reduce((sum, child) => sum + count(child), 1);
}
