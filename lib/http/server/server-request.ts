import { NotFoundException } from '@nestjs/common';
import {
  context,
  SpanKind,
  SpanStatusCode,
  type Attributes,
  type Context,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_HEADER,
  ATTR_HTTP_RESPONSE_HEADER,
  ATTR_HTTP_ROUTE,
} from '@opentelemetry/semantic-conventions';
import { askPredicate, guarded } from '../../core/diagnostics.js';
import { activeEntry, withEntry, type Entry } from '../../core/entry.js';
import { headerAttributes } from '../../core/header-attributes.js';
import { parentOf } from '../../core/incoming-caller.js';
import type { Instruments } from '../../core/instruments.js';
import { Operation, type OperationOptions } from '../../core/operation.js';
import type { RequestMeasurement, RequestMeter } from '../../core/request-meter.js';
import type { ResolvedHttp, HttpRequest, HttpResponse } from '../../options/http.js';
import { arrivalOf, type Arrival } from './arrival.js';
import { activeAttributes, outcomeAttributes, requestAttributes, responseAttributes } from './attributes.js';
import { eventObserverOf, observeEvents, type EventObserver } from './event-context.js';
import type { FrameworkRequest, FrameworkResponse } from './framework-request.js';
import { httpSpanName } from '../method.js';
import { outerContext, presentServerSpan, requestStand, type Surroundings } from './incoming-context.js';
import { RequestRoute } from './request-route.js';
import { endOf, watchConnection, type ResponseEnd } from './response-end.js';

export interface ServerRequestOptions extends ResolvedHttp, Surroundings {
  /** Whether the sampler looks at attributes: only then are they worked out before it decides. */
  readonly samplerReadsAttributes: boolean;
  /** Undefined where nothing is measured. */
  readonly meter: RequestMeter | undefined;
  /** True where Nest does not tell which route it tries, but the framework does. */
  readonly isRouteToldByFramework: boolean;
}

/**
 * One incoming HTTP request and its server span, from the moment Node hands it over to the end of its response.
 *
 * The context of the request leads here for as long as anything lives that was made in it, a timer or a pooled socket say. So
 * what belongs to the request is let go of when it is over.
 */
export class ServerRequest implements Entry, EventObserver {
  readonly caller: SpanContext | undefined;
  private readonly operation: Operation;
  private readonly route = new RequestRoute();
  // Fields, not an object for all of them: V8 learns to keep such objects, and with them all that belongs to a request.
  private request: HttpRequest | undefined;
  private response: HttpResponse | undefined;
  private framework: FrameworkRequest | undefined;
  private frameworkResponse: FrameworkResponse | undefined;
  private arrival: Arrival | undefined;
  /** True where the span is another instrumentation's, which describes and ends it. */
  private joined = false;
  /** The name that the span was given here: another one is the application's choice. */
  private name: string | undefined;
  private handlerWasReached = false;
  private measurement: RequestMeasurement | undefined;
  /** True where the request was taken out of its trace. It counts all the same. */
  private discarded = false;
  private unwatch: (() => void) | undefined;
  private isOver = false;

  /**
   * Begins to trace a request; the second call for the same request returns what the first began. Returns undefined where
   * that fails: then the request goes on without a span.
   */
  static begin(request: HttpRequest, response: HttpResponse, options: ServerRequestOptions): ServerRequest | undefined {
    const begun = eventObserverOf(request);
    if (begun instanceof ServerRequest) return begun;
    return guarded('Beginning to trace a request', () => new ServerRequest(request, response, options));
  }

  /** The request that is served in the active context. */
  static active(): ServerRequest | undefined {
    const entry = activeEntry();
    return entry instanceof ServerRequest ? entry : undefined;
  }

  private constructor(
    request: HttpRequest,
    response: HttpResponse,
    private readonly options: ServerRequestOptions,
  ) {
    const ignored = options.ignore && askPredicate('http.ignore', () => options.ignore?.(request));
    if (ignored) {
      this.operation = Operation.suppressed(withEntry(outerContext(options), this));
    } else {
      const { caller, operation } = this.start(request);
      this.caller = caller;
      this.operation = operation;
    }
    observeEvents(request, this);
    observeEvents(response, this);
    if (ignored) this.isOver = true;
    else this.observe(request, response);
  }

  /** The context in which the request is served. */
  get context(): Context {
    return this.operation.context;
  }

  private start(request: HttpRequest): { caller?: SpanContext | undefined; operation: Operation } {
    const { options } = this;
    const present = presentServerSpan(options);
    // A request that the application sends to itself, without a socket, finds the span of the one it serves.
    if (present && present !== ServerRequest.active()?.operation.span) {
      this.joined = true;
      const caller = parentOf(present);
      return { caller, operation: Operation.join(present, withEntry(context.active(), this)) };
    }
    const { caller, links, parent } = requestStand(request, options);
    const spanOptions: OperationOptions = { kind: SpanKind.SERVER, parent: withEntry(parent, this) };
    if (links) spanOptions.links = links;
    if (options.samplerReadsAttributes) {
      this.arrival = arrivalOf(request);
      spanOptions.attributes = guarded('http attributes', () => this.requestAttributes(request)) ?? {};
    }
    const operation = Operation.start(httpSpanName(request.method, options.knownMethods), spanOptions);
    return { caller, operation };
  }

  get instruments(): Instruments | undefined {
    return this.options.meter?.instruments;
  }

  /** Prepares for the end of a request that is recorded or measured. */
  private observe(request: HttpRequest, response: HttpResponse): void {
    const { operation, options } = this;
    const { recording } = operation;
    if (!recording && !options.meter) {
      this.isOver = true;
      return;
    }
    this.request = request;
    this.response = response;
    // Read at once, which is not done for what is neither recorded nor measured.
    this.arrival ??= arrivalOf(request);
    this.unwatch = watchConnection(request, () => this.end(endOf('close', request, response)));
    this.measurement = this.measure(this.arrival);
    if (!recording) return;
    const { span } = operation;
    this.name = nameOf(span);
    if (options.requestHook) guarded('http.requestHook', () => options.requestHook?.(span, request));
  }

  private measure(arrival: Arrival): RequestMeasurement | undefined {
    const { knownMethods, meter } = this.options;
    // The instrumentation that the span belongs to may measure by the very same metrics.
    if (!meter || (meter.shared && this.joined)) return undefined;
    return meter.begin(activeAttributes(arrival, knownMethods));
  }

  /** Goes on with the request inside its span. */
  run<T>(request: FrameworkRequest, response: FrameworkResponse, next: () => T): T {
    if (!this.isOver) {
      this.framework = request;
      this.frameworkResponse = response;
    }
    return this.operation.run(next);
  }

  /** Nest is about to try a route. */
  routeTried(route: string): void {
    this.route.try(route);
  }

  /** Nest has found no route, and is about to say so. */
  routeNotFound(): void {
    this.route.notFound();
  }

  /** The handler has been reached. Returns false where it has been before, or where the request does not record. */
  handlerReached(): boolean {
    if (this.handlerWasReached || this.isOver) return false;
    this.handlerWasReached = true;
    const { recording } = this.operation;
    // Its owner may end a joined span before the end of the response is told here.
    if (this.joined && recording) guarded('The route of a request', () => this.describeRoute(this.route.last));
    return recording;
  }

  /** Records an exception; the status follows from the response alone. */
  recordException(thrown: unknown): void {
    // That no route was found is no exception of the application.
    if (!this.isOver && !this.route.unrouted) this.operation.recordException(thrown);
  }

  /** Records what was thrown outside of routes, where Nest maps it to the exception that it answers. */
  recordMappedException(thrown: unknown, mapped: unknown): void {
    if (this.isOver) return;
    this.recordException(thrown);
    this.operation.rememberException(mapped);
    // On Fastify a route that is bound to another host says so by this exception.
    if (mapped instanceof NotFoundException) this.route.notFound();
  }

  /** Takes the request out of its trace: its span is never exported. */
  discard(): void {
    this.discarded = true;
    this.operation.discard();
  }

  /** The request is over when its response has finished or closed, and all listeners have heard of it. */
  emitted(emitter: object, event: unknown): void {
    if (this.isOver || (event !== 'finish' && event !== 'close')) return;
    const { request, response } = this;
    if (request && response && emitter === response) this.end(endOf(event, request, response));
  }

  private end(end: ResponseEnd): void {
    if (this.isOver) return;
    this.isOver = true;
    const { discarded, measurement, operation, request, response, unwatch } = this;
    if (unwatch) guarded('The end of a request', unwatch);
    if (!request || !response) return;
    if (operation.recording && !discarded) {
      guarded('The end of a request', () => this.complete(operation.span, end, request, response));
    }
    operation.end();
    if (measurement) {
      const outcome = guarded('http attributes', () => this.outcome(end, request, response)) ?? {};
      guarded('The end of a measurement', () => measurement.end(outcome, discarded ? undefined : operation.span));
    }
    this.letGo();
  }

  private letGo(): void {
    this.request = undefined;
    this.response = undefined;
    this.framework = undefined;
    this.frameworkResponse = undefined;
    this.arrival = undefined;
    this.measurement = undefined;
    this.unwatch = undefined;
  }

  private complete(span: Span, end: ResponseEnd, request: HttpRequest, response: HttpResponse): void {
    const { operation, options } = this;
    this.describeRoute(this.route.of(this.framework, response.statusCode, options.isRouteToldByFramework));
    if (options.requestHeaders.length + options.responseHeaders.length > 0) {
      operation.describe('http headers', () => this.headerAttributes(request, response));
    }
    if (!this.joined) {
      operation.describe('http attributes', () => this.requestAttributes(request));
      span.setAttributes(responseAttributes(response));
      this.setStatus(span, end, response);
    }
    if (options.responseHook) guarded('http.responseHook', () => options.responseHook?.(span, response));
  }

  private setStatus(span: Span, end: ResponseEnd, response: HttpResponse): void {
    if (end !== 'complete') {
      span.addEvent(end.clientLeft ? 'client disconnected' : 'response aborted');
      if (end.error) this.operation.fail(end.error);
    }
    if (response.headersSent && response.statusCode >= 500) {
      span.setAttribute(ATTR_ERROR_TYPE, String(response.statusCode));
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
  }

  /** What the request is counted by. */
  private outcome(end: ResponseEnd, request: HttpRequest, response: HttpResponse): Attributes {
    const { framework, options } = this;
    const arrival = this.arrival ?? arrivalOf(request);
    const aborted = end === 'complete' ? undefined : end.error;
    const route = this.route.of(framework, response.statusCode, options.isRouteToldByFramework);
    return outcomeAttributes(arrival, request.httpVersion, framework, route, response, aborted, options.knownMethods);
  }

  private requestAttributes(request: HttpRequest): Attributes {
    const { framework, options } = this;
    const arrival = this.arrival ?? arrivalOf(request);
    return requestAttributes(arrival, request.headers, request.httpVersion, framework, options);
  }

  private headerAttributes(request: HttpRequest, response: HttpResponse): Attributes {
    const { frameworkResponse, options } = this;
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

  private describeRoute(route: string | undefined): void {
    const { request } = this;
    const { span } = this.operation;
    if (!request) return;
    if (route !== undefined) span.setAttribute(ATTR_HTTP_ROUTE, route);
    if (nameOf(span) !== this.name) return; // The application has named it.
    const { knownMethods, spanName } = this.options;
    const chosen = spanName && guarded('http.spanName', () => spanName(request, route));
    const given = typeof chosen === 'string' ? chosen : undefined;
    // Another instrumentation may know more than nothing.
    if (given === undefined && route === undefined && this.joined) return;
    span.updateName(given ?? httpSpanName(this.arrival?.method, knownMethods, route));
    this.name = nameOf(span);
  }
}

/** The SDK's spans tell their name, though the API does not let them. */
function nameOf(span: Span): string | undefined {
  return (span as { name?: string }).name;
}
