import type { ModulesContainer } from '@nestjs/core';
import { forEachClientCandidate } from '../core/client-instances.js';
import { callSafely, warn } from '../core/diagnostics.js';
import { overrideOnInstance } from '../core/override-on-instance.js';
import { hasMethods, readWithoutGetter } from '../core/readable.js';
import type { ClientInterceptor } from './grpc-js.js';
import { traceServiceClient } from './trace-service-client.js';

/** The members of Nest's `ClientGrpc` that are used here. It creates one client of grpc-js for each service. */
interface GrpcClient {
  readonly clients: Map<string, unknown>;
  createClientByServiceName(name: string): unknown;
}

const tracedClients = new WeakSet<GrpcClient>();

/** Instruments the gRPC clients that Nest has created so far: providers, and own properties of providers and controllers. */
export function traceGrpcClients(modules: ModulesContainer, interceptor: ClientInterceptor): void {
  forEachClientCandidate(modules, (candidate) => {
    if (isGrpcClient(candidate)) traceClient(candidate, interceptor);
  });
}

function traceClient(client: GrpcClient, interceptor: ClientInterceptor): void {
  if (tracedClients.has(client)) return;
  tracedClients.add(client);
  // The application may have requested service clients already, in a constructor say.
  for (const serviceClient of client.clients.values()) traceIfServiceClient(serviceClient, interceptor);
  // A mock of the application is left alone.
  if (Object.hasOwn(client, 'createClientByServiceName')) return;
  function createClientByServiceName(this: GrpcClient, name: string, ...rest: unknown[]): unknown {
    // The inherited method is looked up at each call, since a spy may replace it later.
    const inherited = Object.getPrototypeOf(client) as GrpcClient;
    const serviceClient = Reflect.apply(inherited.createClientByServiceName, this, [name, ...rest]) as unknown;
    traceIfServiceClient(serviceClient, interceptor);
    return serviceClient;
  }
  if (!overrideOnInstance(client, 'createClientByServiceName', createClientByServiceName))
    warnUntraced('does not accept a method');
}

function traceIfServiceClient(candidate: unknown, interceptor: ClientInterceptor): void {
  callSafely('Tracing a gRPC client', () => {
    if (isServiceClient(candidate) && !traceServiceClient(candidate, interceptor)) {
      warnUntraced('is not as grpc-js creates it');
    }
  });
}

function warnUntraced(why: string): void {
  warn('nest-hooks', `A gRPC client cannot be traced: it ${why}. Create it with tracedGrpcOptions().`);
}

// A mock of the application is not a service client.
function isServiceClient(candidate: unknown): candidate is object {
  return hasMethods(candidate, 'makeUnaryRequest');
}

// The client is recognized by its methods: applications without gRPC do not have the class.
function isGrpcClient(value: unknown): value is GrpcClient {
  return (
    hasMethods(value, 'getClientByServiceName', 'createClientByServiceName') &&
    readWithoutGetter(value, 'clients') instanceof Map
  );
}
