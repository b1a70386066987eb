import type { Server } from 'node:http';
import type { HttpAdapterHost } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { warn } from '../../core/diagnostics.js';
import type { HttpRequest, HttpResponse } from '../../tracing.options.js';
import type { FrameworkRequest, FrameworkResponse } from './framework-request.js';
import { ServerRequest, type ServerRequestOptions } from './server-request.js';

type Done = (error?: Error) => void;
type RequestHook = (request: unknown, response: unknown, done: Done) => unknown;

/** Nest's HTTP adapter, as far as tracing uses it: each member is looked for, since releases differ. */
interface TraceableAdapter {
  getHttpServer?(): Server | undefined;
  setOnRequestHook?(hook: RequestHook): void;
  onRequestHook?: RequestHook;
  setOnRouteTriggered?(hook: RouteHook): void;
  getOnRouteTriggered?(): RouteHook | undefined;
  mapException?(error: unknown): unknown;
}

/** What the module says of how requests are traced; the rest is found out here. */
export type HttpServerTracingOptions = Omit<ServerRequestOptions, 'listenedIn'>;

type RouteHook = (method: number, path: string) => void;

/** Hooks the tracing of requests up with a Nest application's HTTP server. Call it once, before Nest registers the routes. */
export function traceHttpServer(adapterHost: HttpAdapterHost, options: HttpServerTracingOptions): void {
  const adapter = adapterHost.httpAdapter as unknown as TraceableAdapter | undefined;
  if (!adapter) return;
  traceRequests(adapter, options);
  traceRoutes(adapter);
  traceExceptionsOutsideHandlers(adapter);
}

function traceRequests(adapter: TraceableAdapter, given: HttpServerTracingOptions): void {
  const options: { -readonly [Key in keyof ServerRequestOptions]: ServerRequestOptions[Key] } = {
    ...given,
    listenedIn: undefined,
  };
  const server = adapter.getHttpServer?.();
  server?.prependListener?.('listening', () => {
    options.listenedIn = trace.getActiveSpan();
  });
  // The server's own event comes first and misses no request that arrives over a socket; it only starts the span.
  server?.prependListener?.('request', (request: HttpRequest, response: HttpResponse) => {
    ServerRequest.begin(request, response, options);
  });
  // The adapter's hook goes on inside the span. It also sees requests that came over no socket, or another server's.
  const previous = adapter.onRequestHook;
  if (!adapter.setOnRequestHook) {
    warn(
      'nest-hooks',
      'What happens in a request cannot be traced: Nest has no request hook before 11.1.4. Upgrade it.',
    );
  }
  adapter.setOnRequestHook?.(function (this: unknown, request, response, done) {
    const serverRequest = ServerRequest.begin(raw<HttpRequest>(request), raw<HttpResponse>(response), options);
    return serverRequest.run(request as FrameworkRequest, response as FrameworkResponse, () =>
      previous ? Reflect.apply(previous, this, [request, response, done]) : done(),
    );
  });
}

function traceRoutes(adapter: TraceableAdapter): void {
  const previous = adapter.getOnRouteTriggered?.();
  adapter.setOnRouteTriggered?.((method, path) => {
    ServerRequest.active()?.routeMatched(path);
    previous?.(method, path);
  });
}

// Nest asks the adapter to map what middleware and body parsers throw, before filters answer it.
function traceExceptionsOutsideHandlers(adapter: TraceableAdapter): void {
  const mapException = adapter.mapException;
  if (!mapException) return;
  adapter.mapException = function (this: unknown, error) {
    ServerRequest.active()?.recordException(error);
    return Reflect.apply(mapException, this, [error]);
  };
}

function raw<T>(wrapped: unknown): T {
  return ((wrapped as { raw?: T }).raw ?? wrapped) as T;
}
