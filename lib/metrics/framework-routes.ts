import type { AbstractHttpAdapter } from '@nestjs/core';
import { callSafely } from '../core/diagnostics.js';

/** The members of Express and Fastify that tell about routes. All are optional, because releases differ. */
interface Framework {
  /** Only Fastify has it. */
  hasRoute?(route: { readonly method: string; readonly url: string }): boolean;
  /** Only Express has it. */
  readonly router?: { readonly stack?: readonly ExpressLayer[] };
}

interface ExpressLayer {
  readonly route?: {
    readonly path: unknown;
    readonly methods: Readonly<Record<string, boolean | undefined>>;
    readonly stack: readonly { readonly handle: { readonly name: string; readonly length: number } }[];
  };
}

/** The keys of `methods` by which Express marks a route that answers GET requests. */
const EXPRESS_GET_METHODS = ['get', '_all'];

/**
 * Returns a description of the route that answers GET requests for a path outside Nest: the application has registered it
 * with Express or Fastify itself. Undefined if there is none.
 */
export function findFrameworkRoute(adapter: AbstractHttpAdapter, path: string): string | undefined {
  return callSafely('Looking for a route at metrics.path', () => searchRoutes(adapter, path));
}

function searchRoutes(adapter: AbstractHttpAdapter, path: string): string | undefined {
  const framework = adapter.getInstance<Framework | undefined>();
  if (framework?.hasRoute) {
    return framework.hasRoute({ method: 'GET', url: path }) ? 'A route of Fastify' : undefined;
  }
  for (const { route } of framework?.router?.stack ?? []) {
    if (!route || ![route.path].flat().includes(path) || !EXPRESS_GET_METHODS.some((method) => route.methods[method]))
      continue;
    // A handler that takes `next` may pass the request on, as middleware does.
    const handler = route.stack.find(({ handle }) => handle.length < 3)?.handle;
    if (handler) return handler.name ? `The handler ${handler.name} of Express` : 'A handler of Express';
  }
  return undefined;
}
