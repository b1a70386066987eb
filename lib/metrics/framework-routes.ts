import type { AbstractHttpAdapter } from '@nestjs/core';
import { guarded } from '../core/diagnostics.js';

/** Express and Fastify, as far as their routes are concerned: each member is looked for, since releases differ. */
interface Framework {
  /** Fastify's. */
  hasRoute?(route: { readonly method: string; readonly url: string }): boolean;
  /** Express's. */
  readonly router?: { readonly stack?: readonly ExpressLayer[] };
}

interface ExpressLayer {
  readonly route?: {
    readonly path: unknown;
    readonly methods: Readonly<Record<string, boolean | undefined>>;
    readonly stack: readonly { readonly handle: { readonly name: string; readonly length: number } }[];
  };
}

/** How Express marks a route that answers GET requests. */
const methods = ['get', '_all'];

/**
 * What answers GET requests for a path outside Nest, because the application has registered it with Express or Fastify itself.
 * Undefined where nothing does.
 */
export function frameworkRoute(adapter: AbstractHttpAdapter, path: string): string | undefined {
  return guarded('Looking for a route at metrics.path', () => find(adapter, path));
}

function find(adapter: AbstractHttpAdapter, path: string): string | undefined {
  const framework = adapter.getInstance<Framework | undefined>();
  if (framework?.hasRoute) {
    return framework.hasRoute({ method: 'GET', url: path }) ? 'A route of Fastify' : undefined;
  }
  for (const { route } of framework?.router?.stack ?? []) {
    if (!route || ![route.path].flat().includes(path) || !methods.some((method) => route.methods[method])) continue;
    // One that takes `next` may let the request through, as middleware does.
    const handler = route.stack.find(({ handle }) => handle.length < 3)?.handle;
    if (handler) return handler.name ? `The handler ${handler.name} of Express` : 'A handler of Express';
  }
  return undefined;
}
