import 'reflect-metadata';

/*
 * The keys under which Nest's decorators store metadata. They are the same in Nest 11 and 12, and third parties rely on them, but Nest does
 * not export them.
 */

/** The key of the path, which `@Get()` and its siblings set on a method, and `@Controller()` on a class. */
export const PATH_METADATA = 'path';
/** The key of the HTTP method, which `@Get()` and its siblings set. */
export const METHOD_METADATA = 'method';
/** The key of the guards of `@UseGuards()`. */
export const GUARDS_METADATA = '__guards__';
/** The key of the filters of `@UseFilters()`. */
export const EXCEPTION_FILTERS_METADATA = '__exceptionFilters__';
/** The key of the pattern of `@MessagePattern()`, `@EventPattern()` and `@GrpcMethod()`. */
export const PATTERN_METADATA = 'microservices:pattern';

/** True if a method is a handler of HTTP requests. */
export function isRouteHandler(method: object): boolean {
  return Reflect.hasMetadata(PATH_METADATA, method) && Reflect.hasMetadata(METHOD_METADATA, method);
}

/** True if a method is a handler of messages, or of gRPC calls. */
export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(PATTERN_METADATA, method);
}
