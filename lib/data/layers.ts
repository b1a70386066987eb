import { SpanKind, trace, type Attributes, type Context, type Span } from '@opentelemetry/api';

/** The spans of open queries, below which the queries of an inner layer get none: that of a driver below an ORM, say. */
const coveringSpans = new WeakSet<Span>();

/** The attributes by which a span of another instrumentation is known to be that of a query; the second one is the older form. */
const SYSTEM_ATTRIBUTES = ['db.system.name', 'db.system'] as const;

/** The members of the SDK's spans that are read here. */
interface ReadableSpan {
  readonly kind?: SpanKind;
  readonly ended?: boolean;
  readonly attributes?: Attributes;
}

/** Makes a span the only one of its query: queries in its context are neither traced nor measured, until `uncoverQueries()`. */
export function coverQueries(span: Span): void {
  coveringSpans.add(span);
}

export function uncoverQueries(span: Span): void {
  coveringSpans.delete(span);
}

/** True if a query in this context belongs to a query that has a span already, of an outer layer or of another instrumentation. */
export function isQueryCovered(caller: Context): boolean {
  const span = trace.getSpan(caller);
  return span !== undefined && (coveringSpans.has(span) || isForeignQuerySpan(span));
}

function isForeignQuerySpan(span: Span): boolean {
  const { attributes, ended, kind } = span as ReadableSpan;
  if (kind !== SpanKind.CLIENT || ended !== false || attributes === undefined) return false;
  return SYSTEM_ATTRIBUTES.some((name) => attributes[name] !== undefined);
}
