import { SpanKind, trace, type Attributes, type Context, type Span } from '@opentelemetry/api';

/** The spans below which queries get none, and that do not show it: they are no client spans, or of a provider that hides their attributes. */
const coveringSpans = new WeakSet<Span>();

/** The layers of the spans of ORMs, whose hooks may make further queries of the same layer. */
const layers = new WeakMap<Span, string>();

/** The attributes by which a span is known to be that of a query; the second one is the older form. */
const SYSTEM_ATTRIBUTES = ['db.system.name', 'db.system'] as const;

/** The members of the SDK's spans that are read here. */
interface ReadableSpan {
  readonly kind?: SpanKind;
  readonly ended?: boolean;
  readonly attributes?: Attributes;
}

/**
 * Makes a span the only one of its query: queries in its context are neither traced nor measured, until `uncoverQueries()`.
 *
 * @param layer the layer of the query, whose own queries are not covered
 */
export function coverQueries(span: Span, layer?: string): void {
  if (layer !== undefined) layers.set(span, layer);
  if (!isQuerySpan(span)) coveringSpans.add(span);
}

export function uncoverQueries(span: Span): void {
  coveringSpans.delete(span);
}

/**
 * True if a query in this context belongs to a query that has a span already, of an outer layer or of another instrumentation.
 *
 * @param layer the layer of the query
 */
export function isQueryCovered(caller: Context, layer?: string): boolean {
  const span = trace.getSpan(caller);
  if (span === undefined || (layer !== undefined && layers.get(span) === layer)) return false;
  return isQuerySpan(span) || coveringSpans.has(span);
}

/** True for an open client span of a database, of this library or of another instrumentation. */
function isQuerySpan(span: Span): boolean {
  const { ended, kind } = span as ReadableSpan;
  if (kind !== SpanKind.CLIENT || ended !== false) return false;
  const { attributes } = span as ReadableSpan;
  return attributes !== undefined && SYSTEM_ATTRIBUTES.some((name) => attributes[name] !== undefined);
}
