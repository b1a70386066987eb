/** What Express and Fastify add to a raw request; both heed the proxies that the application trusts. */
export interface FrameworkRequest {
  readonly ip?: unknown;
  readonly protocol?: unknown;
  readonly hostname?: unknown;
  /** Express: the route that took the request, below `baseUrl`. */
  readonly route?: { readonly path?: unknown };
  /** Express: the path at which the router or the middleware is mounted that has the request, as the caller wrote it. */
  readonly baseUrl?: unknown;
  readonly params?: unknown;
  /** Fastify: the route that took the request. */
  readonly routeOptions?: { readonly url?: unknown };
}

/** What Express and Fastify answer a request with. */
export interface FrameworkResponse {
  getHeader?(name: string): unknown;
}

/**
 * A text that the framework works out when it is asked. It may run code of the application, a `trust proxy` function say, which
 * may throw where it is not prepared for the request: then there is none.
 */
export function frameworkText(
  request: FrameworkRequest | undefined,
  key: 'ip' | 'protocol' | 'hostname',
): string | undefined {
  try {
    const value = request?.[key];
    return typeof value === 'string' && value !== '' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The route of a handler that the application registered with Express or Fastify itself, past Nest. */
export function registeredRoute(request: FrameworkRequest): string | undefined {
  const fastify = request.routeOptions?.url;
  if (typeof fastify === 'string') return isCatchAll(fastify) ? undefined : fastify;
  const path = request.route?.path;
  if (typeof path !== 'string' || isCatchAll(path)) return undefined;
  const base = typeof request.baseUrl === 'string' ? request.baseUrl : '';
  return (path === '/' && base ? base : base + path) || undefined;
}

/** The route that Fastify has found for a request. What answers preflight requests for all paths is none. */
export function routeOfFastify({ routeOptions }: FrameworkRequest): string | undefined {
  const url = routeOptions?.url;
  return typeof url === 'string' && url !== '*' ? url : undefined;
}

/** Mount paths that requests have come by. More than these are no longer the application's, but made up by callers. */
const mountPaths = new Set<string>();
const MAX_MOUNT_PATHS = 64;
const MAX_MOUNT_PATH_LENGTH = 128;

/**
 * The path of what is mounted with `app.use('/graphql', …)` and has answered by itself. Express tells the path as the caller
 * wrote it, in any case, and with what stands in the place of parameters: then there is no route.
 */
export function mountedRoute({ baseUrl, params }: FrameworkRequest): string | undefined {
  if (typeof baseUrl !== 'string' || baseUrl === '' || baseUrl.length > MAX_MOUNT_PATH_LENGTH) return undefined;
  if (typeof params === 'object' && params !== null && Object.keys(params).length > 0) return undefined;
  const path = baseUrl.toLowerCase();
  if (!mountPaths.has(path)) {
    if (mountPaths.size >= MAX_MOUNT_PATHS) return undefined;
    mountPaths.add(path);
  }
  return path;
}

// Middleware is mounted on catch-all routes, which say nothing of what took the request.
function isCatchAll(path: string): boolean {
  return /^\/?\{?\/?\*\w*\}?$/.test(path);
}
