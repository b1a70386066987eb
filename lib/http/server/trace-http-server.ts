import type { Server } from 'node:http';
import type { HttpAdapterHost } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { guarded, warn } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import type { HttpRequest, HttpResponse } from '../../options/http.js';
import type { FrameworkRequest, FrameworkResponse } from './framework-request.js';
import { ServerRequest, type ServerRequestOptions } from './server-request.js';

type Done = (error?: Error) => void;
type RequestHook = (request: unknown, response: unknown, done: Done) => unknown;

/** Nest's HTTP adapter, as far as tracing uses it: each member is looked for, since releases differ. */
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

/** What the module says of how requests are traced; the rest is found out here. */
export type HttpServerTracingOptions = Omit<ServerRequestOptions, 'listenedIn' | 'isRouteToldByFramework'>;

type RouteHook = (method: number, path: string) => void;

/**
 * Instruments a Nest application's HTTP server. Call it once, before Nest registers the routes, and call what it returns when
 * Nest has.
 */
export function traceHttpServer(adapterHost: HttpAdapterHost, options: HttpServerTracingOptions): () => void {
  const adapter = adapterHost.httpAdapter as unknown as TraceableAdapter | undefined;
  if (!adapter) return () => {};
  traceRequests(adapter, options);
  noteRoutes(adapter);
  recordExceptionsOutsideRoutes(adapter);
  const undo = noteUnknownRoutes(adapter);
  return () => undo?.();
}

function traceRequests(adapter: TraceableAdapter, given: HttpServerTracingOptions): void {
  const options: { -readonly [Key in keyof ServerRequestOptions]: ServerRequestOptions[Key] } = {
    ...given,
    listenedIn: undefined,
    isRouteToldByFramework: losesRouteOptions(adapter),
  };
  const server = adapter.getHttpServer?.();
  server?.once?.('listening', () => {
    options.listenedIn = trace.getActiveSpan();
  });
  // Fastify answers by itself what its router cannot read. The application's listener stays the first one.
  if (adapter.getType?.() === 'fastify') {
    server?.on?.('request', (request: HttpRequest, response: HttpResponse) => {
      ServerRequest.start(request, response, options);
    });
  }
  // The adapter's hook comes before everything else that the framework does, and goes on inside the span.
  const previous = adapter.onRequestHook;
  if (!adapter.setOnRequestHook) {
    warn(
      'nest-hooks',
      'What happens in a request cannot be traced: Nest has no request hook before 11.1.4. Upgrade it.',
    );
  }
  adapter.setOnRequestHook?.(function (this: unknown, request, response, done) {
    const next = () => (previous ? Reflect.apply(previous, this, [request, response, done]) : done());
    const serverRequest = ServerRequest.start(raw<HttpRequest>(request), raw<HttpResponse>(response), options);
    return serverRequest ? serverRequest.run(request as FrameworkRequest, response as FrameworkResponse, next) : next();
  });
}

function noteRoutes(adapter: TraceableAdapter): void {
  if (losesRouteOptions(adapter)) return;
  const previous = adapter.getOnRouteTriggered?.();
  adapter.setOnRouteTriggered?.((method, path) => {
    const active = ServerRequest.active();
    if (active) active.route.tried = path;
    previous?.(method, path);
  });
}

/**
 * Nest 11 registers another function where there is a hook for routes, and Fastify's adapter reads versions, schemas,
 * constraints and the configuration of a route off the function that is registered. There Fastify itself tells the route.
 */
function losesRouteOptions(adapter: TraceableAdapter): boolean {
  // Nest 12, which copies what stands on the function, has also brought this method.
  return adapter.getType?.() === 'fastify' && !adapter.mapException;
}

// With versions and hosts Nest tries routes that then do not take the request.
function noteUnknownRoutes(adapter: TraceableAdapter): (() => void) | undefined {
  return interceptMethod(adapter, 'setNotFoundHandler', (setNotFoundHandler, thisArg, [handler, ...rest]) => {
    function notFoundHandler(this: unknown, ...args: unknown[]): unknown {
      ServerRequest.active()?.route.notFound();
      return Reflect.apply(handler as AnyMethod, this, args);
    }
    return Reflect.apply(setNotFoundHandler, thisArg, [notFoundHandler, ...rest]);
  });
}

// Nest asks the adapter to map what middleware and body parsers throw, before filters answer it.
function recordExceptionsOutsideRoutes(adapter: TraceableAdapter): void {
  interceptMethod(adapter, 'mapException', (mapException, thisArg, args) => {
    const mapped: unknown = Reflect.apply(mapException, thisArg, args);
    guarded('Recording an exception', () => ServerRequest.active()?.recordMappedException(args[0], mapped));
    return mapped;
  });
}

function raw<T>(wrapped: unknown): T {
  return ((wrapped as { raw?: T }).raw ?? wrapped) as T;
}
