import { hasMethods, readWithoutGetter } from '../../core/readable.js';

/** The members of Nest's class `ClientProxy` that are used here. Every client extends it, also those of the application. */
export interface MessageClient {
  readonly serializer?: object;
  /** The options that it was created with. */
  readonly options?: unknown;
  readonly routingMap: Map<unknown, unknown>;
  send(pattern: unknown, data: unknown): unknown;
  emit(pattern: unknown, data: unknown): unknown;
}

/** True for a client of any transport but gRPC. It is recognized by its members: applications without `@nestjs/microservices` have no such class. */
export function isMessageClient(candidate: unknown): candidate is MessageClient {
  return (
    hasMethods(candidate, 'send', 'emit') &&
    readWithoutGetter(candidate, 'routingMap') instanceof Map &&
    !hasMethods(candidate, 'getService')
  );
}
