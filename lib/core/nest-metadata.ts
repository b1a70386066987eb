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
/** The key of the interceptors of `@UseInterceptors()`. */
export const INTERCEPTORS_METADATA = '__interceptors__';
/** The key of the pipes of `@UsePipes()`. */
export const PIPES_METADATA = '__pipes__';
/** The key of the parameters of a handler, with the pipes of each. */
export const ROUTE_ARGUMENTS_METADATA = '__routeArguments__';
/** The key of the filters of `@UseFilters()`. */
export const EXCEPTION_FILTERS_METADATA = '__exceptionFilters__';
/** The key of the pattern of `@MessagePattern()`, `@EventPattern()` and `@GrpcMethod()`. */
export const PATTERN_METADATA = 'microservices:pattern';

/** The key of the type that a resolver method of GraphQL belongs to. */
const RESOLVER_TYPE_METADATA = 'graphql:resolver_type';

/** The key that `@WebSocketGateway()` sets on a class. */
const GATEWAY_METADATA = 'websockets:is_gateway';
/** The key that `@SubscribeMessage()` sets on a method. */
const SOCKET_MESSAGE_METADATA = 'websockets:message_mapping';
/** The key of the options of `@WebSocketGateway()`. */
export const GATEWAY_OPTIONS_METADATA = 'websockets:gateway_options';

/** Returns the type of the root field that a method of a resolver handles: `Query`, `Mutation` or `Subscription`. Undefined for any other method. */
export function rootTypeOfResolver(method: object): string | undefined {
  const type: unknown = Reflect.getMetadata(RESOLVER_TYPE_METADATA, method);
  return type === 'Query' || type === 'Mutation' || type === 'Subscription' ? type : undefined;
}

/** True if a class is a gateway of WebSocket clients. */
export function isGateway(metatype: object): boolean {
  return Reflect.hasMetadata(GATEWAY_METADATA, metatype);
}

/** True if a method is a handler of messages of WebSocket clients. */
export function isSocketMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(SOCKET_MESSAGE_METADATA, method);
}

/** True if a method is a handler of HTTP requests. */
export function isRouteHandler(method: object): boolean {
  return Reflect.hasMetadata(PATH_METADATA, method) && Reflect.hasMetadata(METHOD_METADATA, method);
}

/** True if a method is a handler of messages, or of gRPC calls. */
export function isMessageHandler(method: object): boolean {
  return Reflect.hasMetadata(PATTERN_METADATA, method);
}
