/** The members that Express and Fastify add to a raw request. `ip`, `protocol` and `hostname` take trusted proxies into account. */
export interface FrameworkRequest {
  readonly ip?: unknown;
  readonly protocol?: unknown;
  readonly hostname?: unknown;
  /** Express: the route that matched the request, below `baseUrl`. */
  readonly route?: { readonly path?: unknown };
  /** Express: the mount path of the current router or middleware, as the client has written it. */
  readonly baseUrl?: unknown;
  /** Express: the target of the request, below `baseUrl`. */
  readonly url?: unknown;
  readonly params?: unknown;
  /** Fastify: the route that matched the request. */
  readonly routeOptions?: { readonly url?: unknown };
}

/** The members of a response of Express or Fastify that are used here. */
export interface FrameworkResponse {
  getHeader?(name: string): unknown;
}

/**
 * Returns a string that a getter of the framework computes. Undefined if it is empty or if the getter throws: it may run code of the
 * application, such as a `trust proxy` function, which may not be prepared for the request.
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

/** Returns the route of a handler that the application has registered with Express or Fastify directly, rather than through Nest. */
export function registeredRoute(request: FrameworkRequest): string | undefined {
  const fastify = request.routeOptions?.url;
  if (typeof fastify === 'string') return isCatchAll(fastify) ? undefined : fastify;
  const path = request.route?.path;
  if (typeof path !== 'string' || isCatchAll(path)) return undefined;
  const base = typeof request.baseUrl === 'string' ? request.baseUrl : '';
  return (base ? routeBelow(base, path, request.url) : withoutEndingSlash(path)) || undefined;
}

/**
 * Returns the route with this path in the router that is mounted at `base`. Express keeps the route that it has tried last, so that it may
 * belong to middleware that was tried before the one at this mount path: then it has the whole path, or nothing to do with the request.
 */
function routeBelow(base: string, path: string, url: unknown): string | undefined {
  const below = typeof url === 'string' ? url.split('?', 1)[0] : undefined;
  if (below === undefined || matchesPath(path, below)) return path === '/' ? base : base + withoutEndingSlash(path);
  return matchesPath(path, base + below) ? withoutEndingSlash(path) : undefined;
}

/** The longest path that is compared with a route: a client may send one that takes long. */
const MAX_COMPARED_PATH = 2048;

/** True if a path of Express may match the path of a request. Only its form counts: parameters match any segment. */
function matchesPath(pattern: string, path: string): boolean {
  if (path.length > MAX_COMPARED_PATH) return true;
  const source = pattern
    .replace(/[$()+.?[\\\]^|]/g, '\\$&')
    .replace(/\/?\*\w*/g, '/?.*')
    .replace(/:\w+/g, '[^/]+')
    .replace(/\{/g, '(?:')
    .replace(/\}/g, ')?');
  try {
    return new RegExp(`^${withoutEndingSlash(source)}/?$`, 'i').test(path);
  } catch {
    return true;
  }
}

function withoutEndingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

/** Returns the route that Fastify has found for a request. The handler of preflight requests for all paths is none. */
export function routeOfFastify({ routeOptions }: FrameworkRequest): string | undefined {
  const url = routeOptions?.url;
  return typeof url === 'string' && url !== '*' ? url : undefined;
}

/** The mount paths of requests so far. Their number is limited, because clients can invent spellings of a parameterised path. */
const mountPaths = new Set<string>();
const MAX_MOUNT_PATHS = 64;
const MAX_MOUNT_PATH_LENGTH = 128;

/**
 * Returns the path of middleware that is mounted with `app.use('/graphql', …)` and has responded itself. Express has the path only as the
 * client has written it, in upper or lower case. If the path has parameters, it has their values too, and there is no route.
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

// Middleware is mounted on catch-all routes, which do not identify the handler of the request.
function isCatchAll(path: string): boolean {
  return /^\/?\{?\/?\*\w*\}?$/.test(path);
}
