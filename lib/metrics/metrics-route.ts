import { Controller, Get, RequestMethod, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import type { ApplicationConfig, ModuleRef, ModulesContainer } from '@nestjs/core';
import { GUARDS_METADATA, METHOD_METADATA } from '../core/nest-metadata.js';
import type { Exposition } from './exposition.js';
import { assertPathIsFree, type ConflictSources } from './route-conflict.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { routeGuards, type GuardOption } from './route-guards.js';

export interface MetricsRoute {
  readonly path: string;
  readonly guards: readonly GuardOption[];
}

/** The objects of Nest that the route needs. */
export interface RouteHosts extends ConflictSources {
  readonly moduleRef: ModuleRef;
}

type Expose = (accept: string | undefined) => Promise<Exposition>;

/**
 * The method GET as a text instead of a number. Nest registers the route with the adapter's `get()` as well. But when it looks
 * for routes that are excluded from the global prefix, it takes the text for another method. So the exclusion does not match
 * a route of the application with the same path, which keeps its prefix.
 */
const GET = String(RequestMethod.GET) as unknown as RequestMethod;

/**
 * Excludes a path from the global prefix, for its route and for middleware that is bound to all routes. Call it before the
 * application sets its prefix: Nest reads the list of excluded routes only once.
 */
export function reserveMetricsPath(config: ApplicationConfig, path: string): void {
  const options = config.getGlobalPrefixOptions();
  config.setGlobalPrefixOptions({ ...options, exclude: [...(options.exclude ?? []), prefixExclusion(path)] });
}

/**
 * Adds a route to the application's own HTTP server, with a controller like any other: the application's middleware, guards,
 * filters and interceptors apply to it. Only the global prefix and versions do not.
 *
 * @throws TracingConfigurationError if the application already has a route with this path
 */
export async function addMetricsRoute(
  hosts: RouteHosts,
  { guards, path }: MetricsRoute,
  expose: Expose,
): Promise<void> {
  const { applicationConfig, moduleRef, modules } = hosts;
  assertPathIsFree(hosts, path);
  const hasPrefix = updateExclusion(applicationConfig, path);
  const controller = createController(path, expose, hasPrefix ? GET : RequestMethod.GET);
  Reflect.defineMetadata(GUARDS_METADATA, await routeGuards(guards, moduleRef), controller.prototype.serve);
  addController(modules, applicationConfig, controller);
}

/** Creates a controller class for one application, because path and guards are metadata of the class and its method. */
function createController(path: string, expose: Expose, method: RequestMethod): Type<MetricsEndpoint> {
  class MetricsController extends MetricsEndpoint {
    constructor() {
      super(expose);
    }

    override serve(...args: Parameters<MetricsEndpoint['serve']>): Promise<void> {
      return super.serve(...args);
    }
  }
  const { prototype } = MetricsController;
  const { serve } = prototype;
  // Guards read metadata from the class and method of the execution context. These have to lead to the public class, which
  // the application may have decorated.
  Object.defineProperty(prototype, 'constructor', { value: MetricsEndpoint });
  Object.defineProperty(MetricsController, 'name', { value: MetricsEndpoint.name });
  Object.setPrototypeOf(serve, MetricsEndpoint.prototype.serve);
  Controller({ path, version: VERSION_NEUTRAL })(MetricsController);
  Get()(prototype, 'serve', { value: serve });
  Reflect.defineMetadata(METHOD_METADATA, method, serve);
  // The route is not a part of the interface that the application's OpenAPI document describes.
  Reflect.defineMetadata('swagger/apiExcludeController', [true], MetricsController);
  return MetricsController;
}

function addController(modules: ModulesContainer, config: ApplicationConfig, controller: Type<MetricsEndpoint>): void {
  // Express takes the first route that matches, and Nest registers the routes of the first module first. So /metrics comes
  // before a /:id of the application.
  const [first] = modules.values();
  if (!first) return;
  first.addController(MetricsEndpoint);
  const wrapper = first.controllers.get(MetricsEndpoint);
  if (!wrapper) return;
  wrapper.metatype = controller;
  wrapper.instance = new controller();
  // Nest does the same for the controllers of modules. It is needed for request-scoped enhancers, of which each request gets
  // its own.
  for (const enhancer of [
    ...config.getGlobalRequestGuards(),
    ...config.getGlobalRequestInterceptors(),
    ...config.getGlobalRequestPipes(),
    ...config.getGlobalRequestFilters(),
  ]) {
    wrapper.addEnhancerMetadata(enhancer);
  }
}

type Exclusion = NonNullable<ReturnType<ApplicationConfig['getGlobalPrefixOptions']>['exclude']>[number];

function prefixExclusion(path: string): Exclusion {
  return { path, requestMethod: GET, pathRegex: new RegExp(`^${path.replace(/[^\w/]/g, '\\$&')}/?$`) };
}

/** Keeps the exclusion only if there is a global prefix. Returns true if there is one. */
function updateExclusion(config: ApplicationConfig, path: string): boolean {
  const options = config.getGlobalPrefixOptions();
  const exclude = (options.exclude ??= []);
  const index = exclude.findIndex(({ requestMethod }) => requestMethod === GET);
  const hasPrefix = /[^/]/.test(config.getGlobalPrefix());
  // Nest uses this very list, so it is changed in place. Without a prefix, an exclusion would make Nest bind middleware twice.
  if (hasPrefix && index === -1) exclude.push(prefixExclusion(path));
  if (!hasPrefix && index !== -1) exclude.splice(index, 1);
  return hasPrefix;
}
