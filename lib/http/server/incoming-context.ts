import {
  context,
  defaultTextMapGetter,
  ROOT_CONTEXT,
  SpanKind,
  trace,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { standOf, trusts, type Stand } from '../../core/incoming-caller.js';
import type { ResolvedHttp, HttpRequest } from '../../options/http.js';

/** Whose context a request comes in. */
export interface Surroundings {
  /** Whether the tracer provider is somebody else's, who may have a server span around ours. */
  readonly foreignProvider: boolean;
  /** The span, if any, in which the server began to listen: every request finds it active. */
  readonly listenedIn: Span | undefined;
}

/** The context that a request without a caller stands in. */
export function outerContext({ foreignProvider, listenedIn }: Surroundings): Context {
  // Not the active one: a server that was started inside a span would hang every request below it.
  if (!foreignProvider) return ROOT_CONTEXT;
  // What others keep in theirs stays: the scope of an error tracker, say, or a caller that they have extracted.
  const span = trace.getActiveSpan();
  const extracted = span !== listenedIn && span?.spanContext().isRemote;
  return extracted ? context.active() : trace.deleteSpan(context.active());
}

/** Where a request's span stands: below its caller, where that is trusted. */
export function requestStand(request: HttpRequest, options: Surroundings & Pick<ResolvedHttp, 'trustIncoming'>): Stand {
  const trusted = trusts('http.trustIncoming', options.trustIncoming, request);
  return standOf(outerContext(options), request.headers, defaultTextMapGetter, trusted);
}

/** The server span that another instrumentation has started for the request at hand. */
export function presentServerSpan({ foreignProvider, listenedIn }: Surroundings): Span | undefined {
  const span = trace.getActiveSpan();
  if (!span || span === listenedIn || span.spanContext().isRemote) return undefined;
  const kind = (span as { kind?: SpanKind }).kind;
  // A span that another provider does not record has no kind, yet it says that the trace is not sampled.
  return kind === SpanKind.SERVER || (foreignProvider && kind === undefined) ? span : undefined;
}
