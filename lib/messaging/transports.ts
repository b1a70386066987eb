/** The transports of `@nestjs/microservices` that carry messages, by the names of their systems in the semantic conventions. */
export type TransportName = 'tcp' | 'redis' | 'nats' | 'mqtt' | 'rabbitmq' | 'kafka';

/** Nest's transports by the values of `Transport` of `@nestjs/microservices`. gRPC, the value 4, has an integration of its own. */
const TRANSPORTS: readonly (TransportName | undefined)[] = [
  'tcp',
  'redis',
  'nats',
  'mqtt',
  undefined,
  'rabbitmq',
  'kafka',
];
export const GRPC = 4;

/** The system of a transport that the application has implemented. */
export const CUSTOM = 'custom';

/** Returns the name of a transport of Nest. Undefined for one of the application. */
export function transportNameOf(transportId: unknown): TransportName | undefined {
  return typeof transportId === 'number' ? TRANSPORTS[transportId] : undefined;
}
