import { RequestMethod, VERSION_NEUTRAL, VersioningType, type Type, type VersioningOptions } from '@nestjs/common';
import { MetadataScanner, type ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import { METHOD_METADATA, PATH_METADATA } from '../core/nest-metadata.js';

/** The metadata key of `@Version()`, and of the version in `@Controller()`. */
const VERSION_METADATA = '__version__';
/** The metadata key of the path that `RouterModule.register()` stores on a module. */
const MODULE_PATH_METADATA = '__module_path__';

type VersionValue = NonNullable<VersioningOptions['defaultVersion']>;

/** The request method that Nest gives to an exclusion for all methods. */
const ANY_METHOD = -1;

export interface ControllerSources {
  readonly applicationConfig: ApplicationConfig;
  readonly modules: ModulesContainer;
}

/** A route of a controller that answers GET requests. */
export interface ControllerRoute {
  /** The path as it is registered: with global prefix, version and module path. */
  readonly path: string;
  /** `GET`, `HEAD` or `ALL`. */
  readonly method: string;
  /** Class and method, such as `OrdersController.list`. */
  readonly handler: string;
}

const scanner = new MetadataScanner();

/** Yields the routes that Nest will register for the application's controllers. */
export function* controllerRoutes({ applicationConfig, modules }: ControllerSources): Generator<ControllerRoute> {
  for (const module of modules.values()) {
    const modulePath = declaredModulePath(module.metatype, modules);
    for (const { metatype } of module.controllers.values()) {
      if (typeof metatype !== 'function') continue;
      const controller = metatype as Type;
      const controllerPaths = declaredPaths(controller);
      for (const name of scanner.getAllMethodNames(controller.prototype as object)) {
        const handler = (controller.prototype as Record<string, object>)[name];
        const method = handler && (Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined);
        if (!handler || method === undefined || !answersGet(method)) continue;
        const versions = versionPaths(applicationConfig, handler, controller);
        for (const controllerPath of controllerPaths) {
          for (const handlerPath of declaredPaths(handler)) {
            const path = joinPaths(modulePath, controllerPath, handlerPath);
            const prefix = globalPrefixFor(applicationConfig, path, method);
            for (const version of versions) {
              const route = joinPaths(prefix, version, path);
              yield { path: route, method: RequestMethod[method], handler: `${controller.name}.${name}` };
            }
          }
        }
      }
    }
  }
}

function answersGet(method: RequestMethod): boolean {
  return [RequestMethod.GET, RequestMethod.HEAD, RequestMethod.ALL].includes(method);
}

function declaredPaths(target: object): readonly string[] {
  const paths = Reflect.getMetadata(PATH_METADATA, target) as string | readonly string[] | undefined;
  return paths === undefined ? [] : [paths].flat();
}

/** The path that `RouterModule.register()` has stored on a module. */
function declaredModulePath(metatype: object, modules: ModulesContainer): string {
  const applicationPath = Reflect.getMetadata(MODULE_PATH_METADATA + modules.applicationId, metatype) as
    string | undefined;
  return applicationPath ?? (Reflect.getMetadata(MODULE_PATH_METADATA, metatype) as string | undefined) ?? '';
}

/** The path segments for the versions of a route; one that is empty if the path has no version. */
function versionPaths(config: ApplicationConfig, handler: object, controller: object): readonly string[] {
  const versioning = config.getVersioning();
  if (versioning?.type !== VersioningType.URI) return [''];
  const declared = (Reflect.getMetadata(VERSION_METADATA, handler) ??
    Reflect.getMetadata(VERSION_METADATA, controller) ??
    versioning.defaultVersion) as VersionValue | undefined;
  if (declared === undefined) return [''];
  const prefix = versioning.prefix === false ? '' : (versioning.prefix ?? 'v');
  return [declared].flat().map((version) => (version === VERSION_NEUTRAL ? '' : `${prefix}${String(version)}`));
}

/** The global prefix; empty if the route is excluded from it. */
function globalPrefixFor(config: ApplicationConfig, path: string, method: RequestMethod): string {
  const { exclude = [] } = config.getGlobalPrefixOptions();
  const isExcluded = exclude.some(
    ({ pathRegex, requestMethod }) =>
      [method, RequestMethod.ALL, ANY_METHOD].includes(requestMethod) && pathRegex.exec(path),
  );
  return isExcluded ? '' : config.getGlobalPrefix();
}

function joinPaths(...parts: readonly string[]): string {
  const segments = parts.flatMap((part) => part.split('/')).filter(Boolean);
  return `/${segments.join('/')}`;
}
