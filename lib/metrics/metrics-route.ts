import { Controller, Get, RequestMethod, VERSION_NEUTRAL, type Type } from '@nestjs/common';
import type { ApplicationConfig, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Exposition } from './exposition.js';
import { refuseConflict, type ConflictSources } from './route-conflict.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { GUARDS_METADATA, routeGuards, type GuardOption } from './route-guards.js';

/** Under this key `@Get()` and its like keep the method of a route. */
const METHOD_METADATA = 'method';

export interface MetricsRoute {
  readonly path: string;
  readonly guards: readonly GuardOption[];
}

export interface RouteHosts extends ConflictSources {
  readonly moduleRef: ModuleRef;
}

type Expose = (accept: string | undefined) => Promise<Exposition>;

/**
 * GET as a text. Nest maps it to the adapter's `get()` like the number, but takes it for another method where it looks for
 * routes that are excluded from the global prefix. So a route of the application that has the same path below the prefix
 * stays there.
 */
const GET = String(RequestMethod.GET) as unknown as RequestMethod;

/**
 * Has Nest serve a path outside the global prefix, also where middleware for all routes is bound. Call it before the application
 * sets its prefix: Nest takes the list of excluded routes once.
 */
export function reserveMetricsPath(config: ApplicationConfig, path: string): void {
  const options = config.getGlobalPrefixOptions();
  config.setGlobalPrefixOptions({ ...options, exclude: [...(options.exclude ?? []), exclusionOf(path)] });
}

/**
 * Has the application's own HTTP server answer at a path, by a controller like any other: middleware, guards, filters and
 * interceptors of the application apply to it. Only the global prefix and versions do not.
 *
 * @throws TracingConfigurationError where the application has a route there already
 */
export async function addMetricsRoute(
  hosts: RouteHosts,
  { guards, path }: MetricsRoute,
  expose: Expose,
): Promise<void> {
  const { applicationConfig, moduleRef, modules } = hosts;
  refuseConflict(hosts, path);
  const hasPrefix = settleExclusion(applicationConfig, path);
  const controller = controllerOf(path, expose, hasPrefix ? GET : RequestMethod.GET);
  Reflect.defineMetadata(GUARDS_METADATA, await routeGuards(guards, moduleRef), controller.prototype.serve);
  addController(modules, applicationConfig, controller);
}

/** A controller for one application: paths and guards are metadata of the class and the method. */
function controllerOf(path: string, expose: Expose, method: RequestMethod): Type<MetricsEndpoint> {
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
  // Guards look metadata up on the class and the method that they are told of: the public ones have to be found there.
  Object.defineProperty(prototype, 'constructor', { value: MetricsEndpoint });
  Object.defineProperty(MetricsController, 'name', { value: MetricsEndpoint.name });
  Object.setPrototypeOf(serve, MetricsEndpoint.prototype.serve);
  Controller({ path, version: VERSION_NEUTRAL })(MetricsController);
  Get()(prototype, 'serve', { value: serve });
  Reflect.defineMetadata(METHOD_METADATA, method, serve);
  // An OpenAPI document describes the interface of the application, to which this does not belong.
  Reflect.defineMetadata('swagger/apiExcludeController', [true], MetricsController);
  return MetricsController;
}

function addController(modules: ModulesContainer, config: ApplicationConfig, controller: Type<MetricsEndpoint>): void {
  // Nest registers the routes of the first module first, and Express takes the first that matches: /metrics comes before /:id.
  const [first] = modules.values();
  if (!first) return;
  first.addController(MetricsEndpoint);
  const wrapper = first.controllers.get(MetricsEndpoint);
  if (!wrapper) return;
  wrapper.metatype = controller;
  wrapper.instance = new controller();
  // Nest does so for the controllers that it has read from modules, so that an enhancer of request scope is made for each request.
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

function exclusionOf(path: string): Exclusion {
  return { path, requestMethod: GET, pathRegex: new RegExp(`^${path.replace(/[^\w/]/g, '\\$&')}/?$`) };
}

/** Returns whether there is a global prefix that the path is excluded from. */
function settleExclusion(config: ApplicationConfig, path: string): boolean {
  const options = config.getGlobalPrefixOptions();
  const exclude = (options.exclude ??= []);
  const index = exclude.findIndex(({ requestMethod }) => requestMethod === GET);
  const hasPrefix = /[^/]/.test(config.getGlobalPrefix());
  // Nest keeps this very list. Without a prefix it would bind middleware twice.
  if (hasPrefix && index === -1) exclude.push(exclusionOf(path));
  if (!hasPrefix && index !== -1) exclude.splice(index, 1);
  return hasPrefix;
}
