import type { HttpAdapterHost } from '@nestjs/core';
import { TracingConfigurationError } from '../tracing.errors.js';
import { controllerRoutes, type ControllerSources } from './controller-routes.js';
import { frameworkRoute } from './framework-routes.js';

export interface ConflictSources extends ControllerSources {
  readonly adapterHost: HttpAdapterHost;
}

/**
 * Refuses a path for the metrics that the application serves already. A pattern such as `/:id` is no conflict: a fixed path comes
 * before it.
 *
 * @throws TracingConfigurationError
 */
export function refuseConflict(sources: ConflictSources, path: string): void {
  const { httpAdapter } = sources.adapterHost;
  // Express takes no notice of case.
  const key = httpAdapter.getType() === 'express' ? normalized(path).toLowerCase() : normalized(path);
  for (const route of controllerRoutes(sources)) {
    const other = normalized(route.path);
    if ((httpAdapter.getType() === 'express' ? other.toLowerCase() : other) === key) {
      throw conflict(path, `${route.handler}() serves ${route.method} ${route.path}`);
    }
  }
  const handler = frameworkRoute(httpAdapter, path);
  if (handler !== undefined) throw conflict(path, `${handler} serves GET ${path}`);
}

function conflict(path: string, served: string): TracingConfigurationError {
  const fix = 'Choose another metrics.path, give metrics.port, or path: false where that route serves the metrics.';
  return new TracingConfigurationError('metrics.path', path, `${served} already. ${fix}`);
}

function normalized(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
