import { context, SpanKind, SpanStatusCode, type Attributes, type Context, type Span } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
  ATTR_HTTP_ROUTE,
} from '@opentelemetry/semantic-conventions';
import { guarded } from '../../core/diagnostics.js';
import { activeEntry, withEntry, type Entry } from '../../core/entry.js';
import { headerAttributes } from '../../core/header-attributes.js';
import { Operation, type OperationOptions } from '../../core/operation.js';
import type { RequestMeasurement, RequestMeter } from '../../core/request-meter.js';
import type { ResolvedHttp } from '../../options/resolved-options.js';
import type { HttpRequest, HttpResponse } from '../../tracing.options.js';
import { arrivalOf, type Arrival } from './arrival.js';
import { activeAttributes, outcomeAttributes, requestAttributes, responseAttributes } from './attributes.js';
import { frameworkRoute, type FrameworkRequest, type FrameworkResponse } from './framework-request.js';
import { httpSpanName } from '../method.js';
import { outerContext, presentServerSpan, requestStand, type Surroundings } from './incoming-context.js';
import { watchResponse, type ResponseEnd } from './response-end.js';

/** On the raw request. A WeakMap would do, but the garbage collector pays dearly for one with an entry for each request. */
const SERVER_REQUEST = Symbol('nestjs-tracing server request');

export interface ServerRequestOptions extends ResolvedHttp, Surroundings {
  /** Whether the sampler looks at attributes: only then are they worked out before it decides. */
  readonly samplerReadsAttributes: boolean;
  /** Undefined where nothing is measured. */
  readonly meter: RequestMeter | undefined;
}

/** One incoming HTTP request and its server span, from the moment Node hands it over to the end of its response. */
export class ServerRequest implements Entry {
  private noted: Arrival | undefined;
  private readonly operation: Operation;
  /** Whether the span is another instrumentation's, which describes and ends it. */
  private joined = false;
  /** The span's name as far as we know: another one is the application's choice. */
  private name: string | undefined;
  // Two fields, not an object for both: V8 learns to keep such objects, and with them all that belongs to a request.
  private framework: FrameworkRequest | undefined;
  private frameworkResponse: FrameworkResponse | undefined;
  private route: string | undefined;
  /** Whether a guard or the handler was reached, so that the route is certain even if the answer is 404. */
  private routed = false;
  private handled = false;
  private measurement: RequestMeasurement | undefined;
  /** Whether it was taken out of its trace. It counts all the same. */
  private discarded = false;
  private unwatch: (() => void) | undefined;
  private over = false;

  /** Begins to trace a request; the second call for the same request returns what the first began. */
  static begin(request: HttpRequest, response: HttpResponse, options: ServerRequestOptions): ServerRequest {
    const begun = (request as { [SERVER_REQUEST]?: ServerRequest })[SERVER_REQUEST];
    return begun ?? new ServerRequest(request, response, options);
  }

  /** The request that is served in the active context. */
  static active(): ServerRequest | undefined {
    const entry = activeEntry();
    return entry instanceof ServerRequest ? entry : undefined;
  }

  private constructor(
    private readonly request: HttpRequest,
    private readonly response: HttpResponse,
    private readonly options: ServerRequestOptions,
  ) {
    (request as { [SERVER_REQUEST]?: ServerRequest })[SERVER_REQUEST] = this;
    if (options.ignore && guarded('http.ignore', () => options.ignore?.(request))) {
      this.operation = Operation.suppressed(this.within(outerContext(options)));
      return;
    }
    this.operation = this.start();
    this.measurement = this.measure();
    const { recording, span } = this.operation;
    if (!recording && !this.measurement) return;
    this.noted ??= arrivalOf(request);
    this.unwatch = watchResponse(request, response, (end) => this.end(end));
    if (!recording) return;
    this.name = nameOf(span);
    if (options.requestHook) guarded('http.requestHook', () => options.requestHook?.(span, request));
  }

  private start(): Operation {
    const { options, request } = this;
    const present = presentServerSpan(options);
    // A request that the application sends to itself, without a socket, finds the span of the one it serves.
    if (present && present !== ServerRequest.active()?.operation.span) {
      this.joined = true;
      return Operation.join(present, this.within(context.active()));
    }
    const { parent, links } = requestStand(request, options);
    const spanOptions: OperationOptions = { kind: SpanKind.SERVER, parent: this.within(parent) };
    if (links) spanOptions.links = links;
    if (options.samplerReadsAttributes) {
      spanOptions.attributes = guarded('http attributes', () => this.requestAttributes()) ?? {};
    }
    return Operation.start(httpSpanName(request.method, options.knownMethods), spanOptions);
  }

  /** Read at once if anybody is to know, which is not so for what is neither kept nor measured. */
  private get arrival(): Arrival {
    return (this.noted ??= arrivalOf(this.request));
  }

  private within(parent: Context): Context {
    return withEntry(parent, this);
  }

  private measure(): RequestMeasurement | undefined {
    const { meter } = this.options;
    // Whose span it is may record it into the very same metrics.
    if (!meter || (meter.shared && this.joined)) return undefined;
    return meter.begin(activeAttributes(this.arrival, this.options.knownMethods));
  }

  /** Goes on with the request inside its span. */
  run<T>(request: FrameworkRequest, response: FrameworkResponse, next: () => T): T {
    this.framework = request;
    this.frameworkResponse = response;
    return this.operation.run(next);
  }

  /** Takes note of a route that may serve the request. */
  routeMatched(route: string): void {
    this.route = route;
  }

  /** A guard has been reached: the last route is the one. */
  guardReached(): void {
    if (this.routed) return;
    this.routed = true;
    // Its owner may end the span before we learn of the end.
    if (this.joined && this.operation.recording) this.describeRoute(this.route);
  }

  /** The handler has been reached. Returns false where it has been before, or where the request does not record. */
  handlerReached(): boolean {
    this.guardReached();
    const first = !this.handled;
    this.handled = true;
    return first && this.operation.recording;
  }

  /** Records an exception; the status follows from the response alone. */
  recordException(thrown: unknown): void {
    this.operation.recordException(thrown);
  }

  /** Takes the request out of its trace: its span is never exported. */
  discard(): void {
    this.discarded = true;
    this.operation.discard();
  }

  private end(end: ResponseEnd): void {
    if (this.over) return;
    this.over = true;
    this.unwatch?.();
    const { discarded, operation } = this;
    if (operation.recording && !discarded) this.complete(operation.span, end);
    operation.end();
    this.measurement?.end(this.outcome(end), discarded ? undefined : operation.span);
  }

  private complete(span: Span, end: ResponseEnd): void {
    const { operation, options, response } = this;
    this.describeRoute(this.certainRoute());
    if (options.requestHeaders.length + options.responseHeaders.length > 0) {
      operation.describe('http headers', () => this.headerAttributes());
    }
    if (!this.joined) {
      operation.describe('http attributes', () => this.requestAttributes());
      span.setAttributes(responseAttributes(response));
      this.setStatus(span, end);
    }
    if (options.responseHook) guarded('http.responseHook', () => options.responseHook?.(span, response));
  }

  private setStatus(span: Span, end: ResponseEnd): void {
    const { operation, response } = this;
    if (end !== 'complete') {
      span.addEvent(end.clientLeft ? 'client disconnected' : 'response aborted');
      if (end.error) operation.fail(end.error);
    }
    if (response.headersSent && response.statusCode >= 500) {
      span.setAttribute(ATTR_ERROR_TYPE, String(response.statusCode));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }

  /** What the request is counted by. */
  private outcome(end: ResponseEnd): Attributes {
    const { arrival, framework, options, request, response } = this;
    const aborted = end === 'complete' ? undefined : end.error;
    const route = this.certainRoute();
    return outcomeAttributes(arrival, request.httpVersion, framework, route, response, aborted, options.knownMethods);
  }

  private requestAttributes(): Attributes {
    const { arrival, framework, options, request } = this;
    return requestAttributes(arrival, request.headers, request.httpVersion, framework, options);
  }

  private headerAttributes(): Attributes {
    const { frameworkResponse, options, request, response } = this;
    return {
      ...headerAttributes(options.requestHeaders, ATTR_HTTP_REQUEST_HEADER, (name) => request.headers[name]),
      // Fastify hands its headers to Node at the last moment, in a way that leaves no trace of them there.
      ...headerAttributes(
        options.responseHeaders,
        ATTR_HTTP_RESPONSE_HEADER,
        (name) => frameworkResponse?.getHeader?.(name) ?? response.getHeader(name),
      ),
    };
  }

  // Nest reports each candidate of a versioned or host-bound route, also when none of them takes the request.
  private certainRoute(): string | undefined {
    if (this.routed) return this.route;
    if (this.response.statusCode === 404) return undefined;
    return this.route ?? (this.framework && frameworkRoute(this.framework));
  }

  private describeRoute(route: string | undefined): void {
    const { span } = this.operation;
    if (route !== undefined) span.setAttribute(ATTR_HTTP_ROUTE, route);
    if (nameOf(span) !== this.name) return; // The application has named it.
    const { knownMethods, spanName } = this.options;
    const chosen = spanName && guarded('http.spanName', () => spanName(this.request, route));
    // Another instrumentation may know more than nothing.
    if (chosen === undefined && route === undefined && this.joined) return;
    span.updateName(chosen ?? httpSpanName(this.arrival.method, knownMethods, route));
    this.name = nameOf(span);
  }
}

/** The SDK's spans tell their name, though the API does not let them. */
function nameOf(span: Span): string | undefined {
  return (span as { name?: string }).name;
}
