import type { HttpAdapterHost } from '@nestjs/core';
import { TracingConfigurationError } from '../tracing.errors.js';
import { controllerRoutes, type ControllerSources } from './controller-routes.js';
import { findFrameworkRoute } from './framework-routes.js';

export interface ConflictSources extends ControllerSources {
  readonly adapterHost: HttpAdapterHost;
}

/**
 * Asserts that the application has no route of its own with the path of the metrics. A pattern such as `/:id` is no conflict,
 * because the fixed path matches first.
 *
 * @throws TracingConfigurationError if it has such a route
 */
export function assertPathIsFree(sources: ConflictSources, path: string): void {
  const { httpAdapter } = sources.adapterHost;
  // Express ignores case.
  const ignoresCase = httpAdapter.getType() === 'express';
  const metricsPath = normalizePath(path, ignoresCase);
  for (const route of controllerRoutes(sources)) {
    if (normalizePath(route.path, ignoresCase) === metricsPath) {
      throw conflictError(path, `${route.handler}() serves ${route.method} ${route.path}`);
    }
  }
  const handler = findFrameworkRoute(httpAdapter, path);
  if (handler !== undefined) throw conflictError(path, `${handler} serves GET ${path}`);
}

function conflictError(path: string, reason: string): TracingConfigurationError {
  const fix = 'Choose another metrics.path, give metrics.port, or give path: false if that route serves the metrics.';
  return new TracingConfigurationError('metrics.path', path, `${reason} already. ${fix}`);
}

function normalizePath(path: string, ignoresCase: boolean): string {
  const withoutSlash = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
  return ignoresCase ? withoutSlash.toLowerCase() : withoutSlash;
}
