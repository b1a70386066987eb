import { NotFoundException } from '@nestjs/common';
import { SpanStatusCode, type Attributes, type Context, type Span } from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
  ATTR_HTTP_ROUTE,
} from '@opentelemetry/semantic-conventions';
import { evaluatePredicate, callSafely } from '../../core/diagnostics.js';
import { changedAttributes } from '../../core/changed-attributes.js';
import { headerAttributes } from '../../core/header-attributes.js';
import { IncomingOperation, type IncomingExchange } from '../../core/incoming-operation.js';
import type { Operation } from '../../core/operation.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { parentSpanContextOf } from '../../core/remote-caller.js';
import type { HttpRequest, HttpResponse, ResolvedHttp } from '../../options/http.js';
import type { ResolvedResponse } from '../../options/response.js';
import { takeSnapshot, type RequestSnapshot } from './request-snapshot.js';
import {
  serverActiveAttributes,
  serverOutcomeAttributes,
  serverRequestAttributes,
  serverResponseAttributes,
} from './attributes.js';
import { observerOf, observeEvents, type EmitterObserver } from './event-context.js';
import type { FrameworkRequest, FrameworkResponse } from './framework-request.js';
import {
  contextWithoutCaller,
  findForeignServerSpan,
  requestPlacement,
  type PlacementConditions,
} from './request-placement.js';
import { httpSpanName } from '../method.js';
import { RequestRoute } from './request-route.js';
import { readResponseEnd, watchConnection, type ResponseEnd } from './response-end.js';
import { ServerSpanName } from './server-span-name.js';
import { traceResponse } from './trace-response.js';

export interface ServerRequestOptions extends ResolvedHttp, PlacementConditions {
  /** True if attributes have to be there when the span starts. */
  readonly areAttributesReadAtStart: boolean;
  /** Undefined if the application measures nothing. */
  readonly meter: OperationMeter | undefined;
  /** True if the route is reported by the framework, and not by Nest. */
  readonly isRouteReportedByFramework: boolean;
}

/** One incoming HTTP request, from the `request` event of the server to the end of its response. */
export class ServerRequest implements IncomingExchange<ResponseEnd>, EmitterObserver {
  readonly isDescribedByOperation = true;
  readonly route: RequestRoute;
  private readonly incoming: IncomingOperation<ResponseEnd>;
  private snapshot: RequestSnapshot | undefined;
  private framework: FrameworkRequest | undefined;
  private frameworkResponse: FrameworkResponse | undefined;
  private name: ServerSpanName | undefined;
  private unwatch: (() => void) | undefined;
  /** The attributes with which the span has started. */
  private started: Attributes | undefined;

  /**
   * Starts to trace a request. A second call for the same request returns the result of the first. Returns undefined if the request has no
   * span: the start fails, or the connection is upgraded, so that its response would be over only when the socket is closed.
   */
  static start(request: HttpRequest, response: HttpResponse, options: ServerRequestOptions): ServerRequest | undefined {
    const started = observerOf(request);
    if (started instanceof ServerRequest) return started;
    if (isUpgrade(request)) return undefined;
    return callSafely('Starting to trace a request', () => new ServerRequest(request, response, options));
  }

  /** Returns the request that is served in the active context. Undefined if there is none, or if it is over. */
  static active(): ServerRequest | undefined {
    const exchange = IncomingOperation.active()?.exchange;
    return exchange instanceof ServerRequest ? exchange : undefined;
  }

  private constructor(
    private readonly request: HttpRequest,
    private readonly response: HttpResponse,
    private readonly options: ServerRequestOptions,
  ) {
    this.route = new RequestRoute(options.isRouteReportedByFramework);
    const isIgnored = options.ignore && evaluatePredicate('http.ignore', () => options.ignore?.(request));
    this.incoming = isIgnored ? IncomingOperation.ignore(contextWithoutCaller(options), options.meter) : this.start();
    observeEvents(request, this);
    observeEvents(response, this);
    if (options.response && !isIgnored) this.traceResponse(options.response);
    if (!this.incoming.isOver) this.prepareEnd();
  }

  /** The context in which the listeners of the request and its response are called. */
  get context(): Context {
    return this.incoming.context;
  }

  private start(): IncomingOperation<ResponseEnd> {
    const { options, request } = this;
    const { meter } = options;
    const foreignSpan = findForeignServerSpan(options);
    // In a request that the application sends to itself without a socket (`inject()`), the span of the outer request is active.
    if (foreignSpan && foreignSpan !== IncomingOperation.active()?.span) {
      return IncomingOperation.join(foreignSpan, this, { caller: parentSpanContextOf(foreignSpan), meter });
    }
    const placement = requestPlacement(request, options);
    if (options.areAttributesReadAtStart) {
      this.started = callSafely('http attributes', () => {
        this.snapshot = takeSnapshot(request);
        return this.serverRequestAttributes();
      });
    }
    const name = httpSpanName(request.method, options.knownMethods);
    return IncomingOperation.start(name, this, { attributes: this.started, meter, placement });
  }

  private traceResponse(told: ResolvedResponse): void {
    callSafely('response', () => traceResponse(this.response, this.incoming.span.spanContext(), told));
  }

  /** Prepares for the end of a request that is recorded or measured. */
  private prepareEnd(): void {
    const { incoming, options, request, response } = this;
    // The snapshot is taken now, since frameworks change the request. A request that is neither recorded nor measured needs none.
    const snapshot = (this.snapshot ??= takeSnapshot(request));
    this.unwatch = watchConnection(request, () => this.end(readResponseEnd('close', request, response)));
    // The instrumentation that owns the span may record the request in the same metrics.
    if (!(options.meter?.isShared && incoming.isJoined)) {
      incoming.measure(() => serverActiveAttributes(snapshot, options.knownMethods));
    }
    if (!incoming.isRecording) return;
    const { span } = incoming;
    this.name = new ServerSpanName(span, incoming.isJoined);
    if (options.requestHook) callSafely('http.requestHook', () => options.requestHook?.(span, request));
  }

  /** Continues the request in the context of its span. */
  run<T>(request: FrameworkRequest, response: FrameworkResponse, next: () => T): T {
    if (!this.incoming.isOver) {
      this.framework = request;
      this.frameworkResponse = response;
    }
    return this.incoming.run(next);
  }

  /** Sets the route of a joined span now, because its owner may end it before the end of the response is observed here. */
  onHandlerReached(): void {
    const { incoming, route } = this;
    if (incoming.isJoined)
      callSafely('The route of a request', () => this.describeRoute(incoming.span, route.lastTried));
  }

  /** Returns false for the exception that says that no route was found, which is no failure of the application. */
  isExceptionRecorded(): boolean {
    return !this.route.isUnrouted;
  }

  /** Records an exception that was thrown outside of routes, which Nest maps to the exception that it responds with. */
  recordMappedException(thrown: unknown, mapped: unknown): void {
    this.incoming.recordException(thrown);
    this.incoming.rememberException(mapped);
    // On Fastify, Nest throws this exception if the route is bound to another host.
    if (mapped instanceof NotFoundException) this.route.markUnrouted();
  }

  /** Ends the request when its response has finished or closed, after all listeners of that event. */
  afterEvent(emitter: object, event: unknown): void {
    const { incoming, request, response } = this;
    if (emitter !== response || incoming.isOver) return;
    if (event === 'finish' || event === 'close') this.end(readResponseEnd(event, request, response));
  }

  private end(end: ResponseEnd): void {
    const { incoming, unwatch } = this;
    if (incoming.isOver) return;
    if (unwatch) callSafely('The end of a request', unwatch);
    incoming.end(end);
  }

  describeEnd(operation: Operation, end: ResponseEnd): void {
    const { incoming, options, response, route } = this;
    const { span } = operation;
    this.describeRoute(span, route.resolve(this.framework, response.statusCode));
    if (options.requestHeaders.length + options.responseHeaders.length > 0) {
      operation.describe('http headers', () => this.headerAttributes());
    }
    if (!incoming.isJoined) {
      operation.describe('http attributes', () => changedAttributes(this.serverRequestAttributes(), this.started));
      span.setAttributes(serverResponseAttributes(response));
      setStatus(operation, end, response);
    }
    if (options.responseHook) callSafely('http.responseHook', () => options.responseHook?.(span, response));
  }

  measuredAttributes(end: ResponseEnd): Attributes {
    const { framework, options, request, response, route } = this;
    const snapshot = this.snapshot ?? takeSnapshot(request);
    const aborted = end === 'complete' ? undefined : end.error;
    const matched = route.resolve(framework, response.statusCode);
    return serverOutcomeAttributes(
      snapshot,
      request.httpVersion,
      framework,
      matched,
      response,
      aborted,
      options.knownMethods,
    );
  }

  private serverRequestAttributes(): Attributes {
    const { framework, options, request } = this;
    const snapshot = this.snapshot ?? takeSnapshot(request);
    return serverRequestAttributes(snapshot, request.headers, request.httpVersion, framework, options);
  }

  private headerAttributes(): Attributes {
    const { frameworkResponse, options, request, response } = this;
    return {
      ...headerAttributes(options.requestHeaders, ATTR_HTTP_REQUEST_HEADER, (name) => request.headers[name]),
      // Fastify passes its headers to writeHead(), so that Node's response does not have them.
      ...headerAttributes(
        options.responseHeaders,
        ATTR_HTTP_RESPONSE_HEADER,
        (name) => frameworkResponse?.getHeader?.(name) ?? response.getHeader(name),
      ),
    };
  }

  private describeRoute(span: Span, route: string | undefined): void {
    const { snapshot, options, request } = this;
    if (route !== undefined) span.setAttribute(ATTR_HTTP_ROUTE, route);
    this.name?.update(route, snapshot?.method, request, options);
  }
}

/** True if Node has passed the connection of the request on to an `upgrade` listener. Some of them let Fastify route the request. */
function isUpgrade(request: HttpRequest): boolean {
  return (request as { upgrade?: unknown }).upgrade === true;
}

function setStatus(operation: Operation, end: ResponseEnd, response: HttpResponse): void {
  const { span } = operation;
  if (end !== 'complete') {
    span.addEvent(end.hasClientDisconnected ? 'client disconnected' : 'response aborted');
    if (end.error) operation.fail(end.error);
  }
  if (response.headersSent && response.statusCode >= 500) {
    span.setAttribute(ATTR_ERROR_TYPE, String(response.statusCode));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }
}
