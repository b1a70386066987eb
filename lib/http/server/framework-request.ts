/** What Express and Fastify add to a raw request; both heed the proxies that the application trusts. */
export interface FrameworkRequest {
  readonly ip?: unknown;
  readonly protocol?: unknown;
  readonly hostname?: unknown;
  /** Express: the route that took the request, below `baseUrl`. */
  readonly route?: { readonly path?: unknown };
  readonly baseUrl?: unknown;
  /** Fastify: the route that took the request. */
  readonly routeOptions?: { readonly url?: unknown };
}

/** What Express and Fastify answer a request with. */
export interface FrameworkResponse {
  getHeader?(name: string): unknown;
}

/** The route of a handler that the application registered with Express or Fastify itself, past Nest. */
export function frameworkRoute(request: FrameworkRequest): string | undefined {
  const fastify = request.routeOptions?.url;
  if (typeof fastify === 'string') return isCatchAll(fastify) ? undefined : fastify;
  const path = request.route?.path;
  if (typeof path !== 'string' || isCatchAll(path)) return undefined;
  const base = typeof request.baseUrl === 'string' ? request.baseUrl : '';
  return (path === '/' && base ? base : base + path) || undefined;
}

// Middleware is mounted on catch-all routes, which say nothing of what took the request.
function isCatchAll(path: string): boolean {
  return /^\/?\{?\/?\*\w*\}?$/.test(path);
}
