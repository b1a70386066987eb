import { types } from 'node:util';
import type { ModulesContainer } from '@nestjs/core';
import { warn } from '../core/diagnostics.js';
import { withInterceptor } from './client-options.js';
import type { ClientInterceptor, ClientOptions } from './grpc-js.js';

/** Nest's `ClientGrpc`, as far as tracing uses it. It makes a client of grpc-js for each service that is asked for. */
interface GrpcClient {
  options: { readonly channelOptions?: ClientOptions };
  readonly clients: Map<string, unknown>;
}

const traced = new WeakSet<GrpcClient>();

/** Has every gRPC client traced that Nest has made so far: those in DI, and those that are held by what is in DI. */
export function traceGrpcClients(modules: ModulesContainer, interceptor: ClientInterceptor): void {
  for (const module of modules.values()) {
    for (const { instance } of [...module.providers.values(), ...module.controllers.values()] as {
      instance: unknown;
    }[]) {
      for (const candidate of [instance, ...heldBy(instance)]) {
        if (isGrpcClient(candidate)) traceClient(candidate, interceptor);
      }
    }
  }
}

function traceClient(client: GrpcClient, interceptor: ClientInterceptor): void {
  if (traced.has(client)) return;
  traced.add(client);
  const { channelOptions = {} } = client.options;
  const withTracing = withInterceptor(channelOptions, interceptor);
  if (withTracing === channelOptions) return;
  if (client.clients.size > 0) {
    warn(
      'grpc-client',
      `The gRPC client for ${[...client.clients.keys()].join(', ')} was in use before tracing began, and is not traced. Wrap its options in tracedGrpcOptions(), or call getService() in onModuleInit().`,
    );
    return;
  }
  client.options = { ...client.options, channelOptions: withTracing };
}

/** What an object holds in properties of its own, as those with `@Client()` are. Getters are left alone. */
function heldBy(instance: unknown): unknown[] {
  if (typeof instance !== 'object' || instance === null || types.isProxy(instance)) return [];
  return Object.values(Object.getOwnPropertyDescriptors(instance)).map((property) => property.value as unknown);
}

// By what it can do: applications without gRPC do not have the class.
function isGrpcClient(value: unknown): value is GrpcClient {
  if (typeof value !== 'object' || value === null || types.isProxy(value)) return false;
  return (
    'getClientByServiceName' in value &&
    typeof value.getClientByServiceName === 'function' &&
    'clients' in value &&
    value.clients instanceof Map &&
    'options' in value &&
    typeof value.options === 'object' &&
    value.options !== null
  );
}
