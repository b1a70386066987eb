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

/** Whose context a request comes in. */
export interface Surroundings {
  /** True if the tracer provider belongs to another instrumentation, which may have a server span around ours. */
  readonly hasForeignProvider: boolean;
  /** The span, if any, in which the server began to listen: every request finds it active. */
  readonly listenedIn: Span | undefined;
}

/** The context that a request without a caller stands in. */
export function outerContext({ hasForeignProvider, listenedIn }: Surroundings): Context {
  // Not the active one: a server that was started inside a span would hang every request below it.
  if (!hasForeignProvider) return ROOT_CONTEXT;
  // What others keep in theirs stays: the scope of an error tracker, say, or a caller that they have extracted.
  const span = trace.getActiveSpan();
  const extracted = span !== listenedIn && span?.spanContext().isRemote;
  return extracted ? context.active() : trace.deleteSpan(context.active());
}

/** Places the span of a request: below its remote parent, if that is trusted. */
export function requestPlacement(
  request: HttpRequest,
  options: Surroundings & Pick<ResolvedHttp, 'trustIncoming'>,
): SpanPlacement {
  const isTrusted = isCallerTrusted('http.trustIncoming', options.trustIncoming, request);
  return resolvePlacement(outerContext(options), request.headers, defaultTextMapGetter, isTrusted);
}

/** The server span that another instrumentation has started for the request at hand. */
export function presentServerSpan({ hasForeignProvider, listenedIn }: Surroundings): Span | undefined {
  const span = trace.getActiveSpan();
  if (!span || span === listenedIn || span.spanContext().isRemote) return undefined;
  const kind = (span as { kind?: SpanKind }).kind;
  // A span that another provider does not record has no kind, yet it says that the trace is not sampled.
  return kind === SpanKind.SERVER || (hasForeignProvider && kind === undefined) ? span : undefined;
}
