import {
  context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { isCallerTrusted, resolvePlacement, type SpanPlacement } from '../../core/span-placement.js';
import type { HttpRequest, ResolvedHttp } from '../../options/http.js';

/** Facts about the process that the placement of a request depends on. */
export interface PlacementConditions {
  /** True if the tracer provider belongs to another instrumentation, which may have a server span around ours. */
  readonly hasForeignProvider: boolean;
  /** The span that was active when the server started to listen. It is active again in every request, and is not the parent of any. */
  readonly spanAtListen: Span | undefined;
}

/** Returns the parent context of a request without a remote parent. */
export function contextWithoutCaller({ hasForeignProvider, spanAtListen }: PlacementConditions): Context {
  // It is not the active context: a server that was started inside a span would have every request below that span.
  if (!hasForeignProvider) return ROOT_CONTEXT;
  // Values of other instrumentations stay, such as the scope of an error tracker, or a remote parent that they have extracted.
  const span = trace.getActiveSpan();
  const isExtracted = span !== spanAtListen && span?.spanContext().isRemote;
  return isExtracted ? context.active() : trace.deleteSpan(context.active());
}

/** Places the span of a request below its remote parent, if the caller is trusted. */
export function requestPlacement(
  request: HttpRequest,
  options: PlacementConditions & Pick<ResolvedHttp, 'trustIncoming'>,
): SpanPlacement {
  const isTrusted = isCallerTrusted('http.trustIncoming', options.trustIncoming, request);
  return resolvePlacement(contextWithoutCaller(options), request.headers, defaultTextMapGetter, isTrusted);
}

/** Returns the server span that another instrumentation has started for the current request. Undefined if there is none. */
export function findForeignServerSpan({ hasForeignProvider, spanAtListen }: PlacementConditions): Span | undefined {
  const span = trace.getActiveSpan();
  if (!span || span === spanAtListen || span.spanContext().isRemote) return undefined;
  const kind = (span as { kind?: SpanKind }).kind;
  // A non-recording span of another provider has no kind. It still means that the trace is not sampled.
  return kind === SpanKind.SERVER || (hasForeignProvider && kind === undefined) ? span : undefined;
}
