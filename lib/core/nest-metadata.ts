import 'reflect-metadata';

/*
 * The keys under which Nest's decorators keep metadata. They are the same in Nest 11 and 12, and third parties rely on them, but they
 * are exported nowhere.
 */

/** The path of `@Get()` and its like on a method, and of `@Controller()` on a class. */
export const PATH_METADATA = 'path';
/** The HTTP method of `@Get()` and its like. */
export const METHOD_METADATA = 'method';
/** The guards of `@UseGuards()`. */
export const GUARDS_METADATA = '__guards__';
/** The filters of `@UseFilters()`. */
export const EXCEPTION_FILTERS_METADATA = '__exceptionFilters__';
/** The pattern of `@MessagePattern()`, `@EventPattern()` and `@GrpcMethod()`. */
export const PATTERN_METADATA = 'microservices:pattern';

/** True if a method is a handler of HTTP requests. */
export function isRouteHandler(method: object): boolean {
  return Reflect.hasMetadata(PATH_METADATA, method) && Reflect.hasMetadata(METHOD_METADATA, method);
}

/** True if a method is a handler of messages, or of gRPC calls. */
export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(PATTERN_METADATA, method);
}
