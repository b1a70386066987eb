import { NotFoundException } from '@nestjs/common';
import { SpanStatusCode, type Attributes, type Context, type Span } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
  ATTR_HTTP_ROUTE,
} from '@opentelemetry/semantic-conventions';
import { askPredicate, guarded } from '../../core/diagnostics.js';
import { headerAttributes } from '../../core/header-attributes.js';
import { IncomingOperation, type IncomingExchange } from '../../core/incoming-operation.js';
import type { Operation } from '../../core/operation.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { parentOf } from '../../core/remote-caller.js';
import type { HttpRequest, HttpResponse, ResolvedHttp } from '../../options/http.js';
import { arrivalOf, type Arrival } from './arrival.js';
import { activeAttributes, outcomeAttributes, requestAttributes, responseAttributes } from './attributes.js';
import { eventObserverOf, observeEvents, type EventObserver } from './event-context.js';
import type { FrameworkRequest, FrameworkResponse } from './framework-request.js';
import { outerContext, presentServerSpan, requestPlacement, type Surroundings } from './incoming-context.js';
import { httpSpanName } from '../method.js';
import { RequestRoute } from './request-route.js';
import { endOf, watchConnection, type ResponseEnd } from './response-end.js';
import { ServerSpanName } from './server-span-name.js';

export interface ServerRequestOptions extends ResolvedHttp, Surroundings {
  /** True if the sampler looks at attributes: only then are they determined before it decides. */
  readonly samplerReadsAttributes: boolean;
  /** Undefined if nothing is measured. */
  readonly meter: OperationMeter | undefined;
  /** True if Nest does not tell which route it tries, but the framework does. */
  readonly isRouteToldByFramework: boolean;
}

/** One incoming HTTP request, from the moment Node hands it over to the end of its response. */
export class ServerRequest implements IncomingExchange<ResponseEnd>, EventObserver {
  readonly route: RequestRoute;
  private readonly incoming: IncomingOperation<ResponseEnd>;
  private arrival: Arrival | undefined;
  private framework: FrameworkRequest | undefined;
  private frameworkResponse: FrameworkResponse | undefined;
  private name: ServerSpanName | undefined;
  private unwatch: (() => void) | undefined;

  /**
   * Starts to trace a request. The second call for the same request returns the result of the first. Returns undefined if that
   * fails: the request then goes on without a span.
   */
  static start(request: HttpRequest, response: HttpResponse, options: ServerRequestOptions): ServerRequest | undefined {
    const started = eventObserverOf(request);
    if (started instanceof ServerRequest) return started;
    return guarded('Starting to trace a request', () => new ServerRequest(request, response, options));
  }

  /** The request that is served in the active context, until it is over. */
  static active(): ServerRequest | undefined {
    const exchange = IncomingOperation.active()?.exchange;
    return exchange instanceof ServerRequest ? exchange : undefined;
  }

  private constructor(
    private readonly request: HttpRequest,
    private readonly response: HttpResponse,
    private readonly options: ServerRequestOptions,
  ) {
    this.route = new RequestRoute(options.isRouteToldByFramework);
    const isIgnored = options.ignore && askPredicate('http.ignore', () => options.ignore?.(request));
    this.incoming = isIgnored ? IncomingOperation.ignore(outerContext(options), options.meter) : this.start();
    observeEvents(request, this);
    observeEvents(response, this);
    if (!this.incoming.isOver) this.observe();
  }

  /** The context in which the events of the request and its response are emitted. */
  get context(): Context {
    return this.incoming.context;
  }

  private start(): IncomingOperation<ResponseEnd> {
    const { options, request } = this;
    const { meter } = options;
    const present = presentServerSpan(options);
    // A request that the application sends to itself, without a socket, finds the span of the one it serves.
    if (present && present !== IncomingOperation.active()?.span) {
      return IncomingOperation.join(present, this, { caller: parentOf(present), meter });
    }
    const placement = requestPlacement(request, options);
    let attributes: Attributes | undefined;
    if (options.samplerReadsAttributes) {
      this.arrival = arrivalOf(request);
      attributes = guarded('http attributes', () => this.requestAttributes());
    }
    const name = httpSpanName(request.method, options.knownMethods);
    return IncomingOperation.start(name, this, { attributes, meter, placement });
  }

  /** Prepares for the end of a request that is recorded or measured. */
  private observe(): void {
    const { incoming, options, request, response } = this;
    // It is read at once, since frameworks change the request; not for a request that is neither recorded nor measured.
    const arrival = (this.arrival ??= arrivalOf(request));
    this.unwatch = watchConnection(request, () => this.end(endOf('close', request, response)));
    // The instrumentation that the span belongs to may measure by the very same metrics.
    if (!(options.meter?.shared && incoming.isJoined)) {
      incoming.measure(() => activeAttributes(arrival, options.knownMethods));
    }
    if (!incoming.isRecording) return;
    const { span } = incoming;
    this.name = new ServerSpanName(span, incoming.isJoined);
    if (options.requestHook) guarded('http.requestHook', () => options.requestHook?.(span, request));
  }

  /** Goes on with the request inside its span. */
  run<T>(request: FrameworkRequest, response: FrameworkResponse, next: () => T): T {
    if (!this.incoming.isOver) {
      this.framework = request;
      this.frameworkResponse = response;
    }
    return this.incoming.run(next);
  }

  /** The owner of a joined span may end it before the end of the response is seen here, so its route is set now. */
  onHandlerReached(): void {
    const { incoming, route } = this;
    if (incoming.isJoined) guarded('The route of a request', () => this.describeRoute(incoming.span, route.tried));
  }

  /** That no route was found is no exception of the application. */
  isExceptionRecorded(): boolean {
    return !this.route.isUnrouted;
  }

  /** Records what was thrown outside of routes, which Nest maps to the exception that it answers. */
  recordMappedException(thrown: unknown, mapped: unknown): void {
    this.incoming.recordException(thrown);
    this.incoming.rememberException(mapped);
    // On Fastify a route that is bound to another host says so by this exception.
    if (mapped instanceof NotFoundException) this.route.notFound();
  }

  /** The request is over when its response has finished or closed, and all listeners have been called. */
  emitted(emitter: object, event: unknown): void {
    const { incoming, request, response } = this;
    if (emitter !== response || incoming.isOver) return;
    if (event === 'finish' || event === 'close') this.end(endOf(event, request, response));
  }

  private end(end: ResponseEnd): void {
    const { incoming, unwatch } = this;
    if (incoming.isOver) return;
    if (unwatch) guarded('The end of a request', unwatch);
    incoming.end(end);
  }

  describeEnd(operation: Operation, end: ResponseEnd): void {
    const { incoming, options, response, route } = this;
    const { span } = operation;
    this.describeRoute(span, route.of(this.framework, response.statusCode));
    if (options.requestHeaders.length + options.responseHeaders.length > 0) {
      operation.describe('http headers', () => this.headerAttributes());
    }
    if (!incoming.isJoined) {
      operation.describe('http attributes', () => this.requestAttributes());
      span.setAttributes(responseAttributes(response));
      setStatus(operation, end, response);
    }
    if (options.responseHook) guarded('http.responseHook', () => options.responseHook?.(span, response));
  }

  measuredAttributes(end: ResponseEnd): Attributes {
    const { framework, options, request, response, route } = this;
    const arrival = this.arrival ?? arrivalOf(request);
    const aborted = end === 'complete' ? undefined : end.error;
    const taken = route.of(framework, response.statusCode);
    return outcomeAttributes(arrival, request.httpVersion, framework, taken, response, aborted, options.knownMethods);
  }

  private requestAttributes(): Attributes {
    const { framework, options, request } = this;
    const arrival = this.arrival ?? arrivalOf(request);
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

  private describeRoute(span: Span, route: string | undefined): void {
    const { arrival, options, request } = this;
    if (route !== undefined) span.setAttribute(ATTR_HTTP_ROUTE, route);
    this.name?.update(route, arrival?.method, request, options);
  }
}

function setStatus(operation: Operation, end: ResponseEnd, response: HttpResponse): void {
  const { span } = operation;
  if (end !== 'complete') {
    span.addEvent(end.clientLeft ? 'client disconnected' : 'response aborted');
    if (end.error) operation.fail(end.error);
  }
  if (response.headersSent && response.statusCode >= 500) {
    span.setAttribute(ATTR_ERROR_TYPE, String(response.statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
}
