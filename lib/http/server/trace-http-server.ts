import type { Server } from 'node:http';
import type { HttpAdapterHost } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { callSafely, warn } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import type { HttpRequest, HttpResponse } from '../../options/http.js';
import type { FrameworkRequest, FrameworkResponse } from './framework-request.js';
import { ServerRequest, type ServerRequestOptions } from './server-request.js';

type Done = (error?: Error) => void;
type RequestHook = (request: unknown, response: unknown, done: Done) => unknown;

/** The members of Nest's HTTP adapter that are used here. Each is optional, since releases differ. */
interface TraceableAdapter {
  getType?(): string;
  getHttpServer?(): Server | undefined;
  setOnRequestHook?(hook: RequestHook): void;
  onRequestHook?: RequestHook;
  setOnRouteTriggered?(hook: RouteHook): void;
  getOnRouteTriggered?(): RouteHook | undefined;
  mapException?(error: unknown): unknown;
  setNotFoundHandler?(handler: AnyMethod, prefix?: string): unknown;
}

/** The options that the integration gives; the others are determined here. */
export type HttpServerTracingOptions = Omit<ServerRequestOptions, 'spanAtListen' | 'isRouteReportedByFramework'>;

type RouteHook = (method: number, path: string) => void;

/** Instruments the HTTP server of a Nest application. */
export class HttpServerTracing {
  private readonly adapter: TraceableAdapter | undefined;
  private readonly options: { -readonly [Key in keyof ServerRequestOptions]: ServerRequestOptions[Key] };
  private isListening = false;

  constructor(adapterHost: HttpAdapterHost, given: HttpServerTracingOptions) {
    const adapter = adapterHost.httpAdapter as unknown as TraceableAdapter | undefined;
    this.adapter = adapter;
    this.options = {
      ...given,
      spanAtListen: undefined,
      isRouteReportedByFramework: adapter !== undefined && isRouteReportedByFramework(adapter),
    };
  }

  /**
   * Adds the listeners of the server. Idempotent. Call it before Socket.IO is attached to the server: it takes the listeners for requests
   * that it finds, and calls them for the requests of the application, but not for its own.
   */
  addListeners(): void {
    const { adapter, isListening, options } = this;
    if (!adapter || isListening) return;
    this.isListening = true;
    const server = adapter.getHttpServer?.();
    server?.once?.('listening', () => {
      options.spanAtListen = trace.getActiveSpan();
    });
    // Fastify responds itself to a request that its router cannot parse, before any hook. Fastify's own listener stays the first one.
    if (adapter.getType?.() !== 'fastify') return;
    server?.on?.('request', (request: HttpRequest, response: HttpResponse) => {
      ServerRequest.start(request, response, options);
    });
  }

  /** Sets the hooks of the adapter. Call it once, before Nest registers the routes, and call the returned function afterwards. */
  setHooks(): () => void {
    const { adapter, options } = this;
    if (!adapter) return () => {};
    traceRequests(adapter, options);
    recordTriedRoutes(adapter);
    recordExceptionsOutsideRoutes(adapter);
    const undo = recordUnroutedRequests(adapter);
    return () => undo?.();
  }
}

function traceRequests(adapter: TraceableAdapter, options: ServerRequestOptions): void {
  // The adapter's hook runs before everything else in the framework, and continues the request in the context of the span.
  const previous = adapter.onRequestHook;
  if (!adapter.setOnRequestHook) {
    warn(
      'nest-hooks',
      'What happens in a request cannot be traced: Nest has no request hook before 11.1.4. Upgrade it.',
    );
  }
  adapter.setOnRequestHook?.(function (this: unknown, request, response, done) {
    const next = () => (previous ? Reflect.apply(previous, this, [request, response, done]) : done());
    const serverRequest = ServerRequest.start(unwrap<HttpRequest>(request), unwrap<HttpResponse>(response), options);
    return serverRequest ? serverRequest.run(request as FrameworkRequest, response as FrameworkResponse, next) : next();
  });
}

function recordTriedRoutes(adapter: TraceableAdapter): void {
  if (isRouteReportedByFramework(adapter)) return;
  const previous = adapter.getOnRouteTriggered?.();
  adapter.setOnRouteTriggered?.((method, path) => {
    const active = ServerRequest.active();
    if (active) active.route.lastTried = path;
    previous?.(method, path);
  });
}

/**
 * True if the route is read from the framework, because Nest's hook for routes must not be set. With that hook Nest 11 registers a wrapper
 * of the handler, and its Fastify adapter reads versions, schemas, constraints and configuration of a route from the registered function.
 */
function isRouteReportedByFramework(adapter: TraceableAdapter): boolean {
  // Nest 12 copies the properties of the handler to its wrapper. It has also introduced this method.
  return adapter.getType?.() === 'fastify' && !adapter.mapException;
}

// With versions and hosts Nest tries routes that then do not handle the request.
function recordUnroutedRequests(adapter: TraceableAdapter): (() => void) | undefined {
  return interceptMethod(adapter, 'setNotFoundHandler', (setNotFoundHandler, thisArg, [handler, ...rest]) => {
    function notFoundHandler(this: unknown, ...args: unknown[]): unknown {
      ServerRequest.active()?.route.markUnrouted();
      return Reflect.apply(handler as AnyMethod, this, args);
    }
    return Reflect.apply(setNotFoundHandler, thisArg, [notFoundHandler, ...rest]);
  });
}

// Nest calls the adapter's `mapException()` with the errors of middleware and body parsers, before filters handle them.
function recordExceptionsOutsideRoutes(adapter: TraceableAdapter): void {
  interceptMethod(adapter, 'mapException', (mapException, thisArg, args) => {
    const mapped: unknown = Reflect.apply(mapException, thisArg, args);
    callSafely('Recording an exception', () => ServerRequest.active()?.recordMappedException(args[0], mapped));
    return mapped;
  });
}

/** Returns the request or response of Node behind that of Fastify; with Express they are the same object. */
function unwrap<T>(wrapped: unknown): T {
  return ((wrapped as { raw?: T }).raw ?? wrapped) as T;
}
