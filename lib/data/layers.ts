import { trace, type Context, type Span } from '@opentelemetry/api';
import { isOpenQuerySpan } from '../core/query-span.js';

/** The spans below which queries get none, and that do not show it: they are no client spans, or of a provider that hides their attributes. */
const coveringSpans = new WeakSet<Span>();

/** The layers of the spans of ORMs, whose hooks may make further queries of the same layer. */
const layers = new WeakMap<Span, string>();

/**
 * Makes a span the only one of its query: queries in its context are neither traced nor measured, until `uncoverQueries()`.
 *
 * @param layer the layer of the query, whose own queries are not covered
 */
export function coverQueries(span: Span, layer?: string): void {
  if (layer !== undefined) layers.set(span, layer);
  if (!isOpenQuerySpan(span)) coveringSpans.add(span);
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
  return isOpenQuerySpan(span) || coveringSpans.has(span);
}
