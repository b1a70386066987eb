import { types } from 'node:util';
import type { ModulesContainer } from '@nestjs/core';
import { guarded } from '../core/diagnostics.js';
import { traceClientInUse } from './client-in-use.js';
import { withInterceptor } from './client-options.js';
import type { ClientInterceptor, ClientOptions, ServiceClient } from './grpc-js.js';

/** Nest's `ClientGrpc`, as far as tracing uses it. It makes a client of grpc-js for each service that is asked for. */
interface GrpcClient {
  options: { readonly channelOptions?: ClientOptions };
  readonly clients: Map<string, ServiceClient>;
}

/** More than any class has. */
const MAX_FIELDS = 1000;

const traced = new WeakSet<GrpcClient>();

/** Has every gRPC client traced that Nest has made so far: those in DI, and those that are held by what is in DI. */
export function traceGrpcClients(modules: ModulesContainer, interceptor: ClientInterceptor): void {
  for (const { providers, controllers, injectables } of modules.values()) {
    for (const { instance } of [...providers.values(), ...controllers.values(), ...injectables.values()]) {
      guarded('Looking for gRPC clients', () => {
        for (const candidate of [instance, ...heldBy(instance)]) {
          if (isGrpcClient(candidate)) traceClient(candidate, interceptor);
        }
      });
    }
  }
}

function traceClient(client: GrpcClient, interceptor: ClientInterceptor): void {
  if (traced.has(client)) return;
  traced.add(client);
  const channelOptions = client.options.channelOptions ?? {};
  const withTracing = withInterceptor(channelOptions, interceptor);
  if (withTracing === channelOptions) return;
  client.options = { ...client.options, channelOptions: withTracing };
  // Those that somebody has asked for already, in a constructor say.
  for (const inUse of client.clients.values()) traceClientInUse(inUse, channelOptions, interceptor);
}

/**
 * What an object holds in properties of its own, as those with `@Client()` are. Getters are left alone, and so are lists
 * and tables, which may be large.
 */
function heldBy(instance: unknown): unknown[] {
  if (!isObject(instance) || Array.isArray(instance) || ArrayBuffer.isView(instance)) return [];
  const keys = Object.keys(instance);
  if (keys.length > MAX_FIELDS) return [];
  return keys.map((key) => Object.getOwnPropertyDescriptor(instance, key)?.value as unknown);
}

// By what it can do: applications without gRPC do not have the class.
function isGrpcClient(value: unknown): value is GrpcClient {
  return (
    isObject(value) &&
    'getClientByServiceName' in value &&
    typeof value.getClientByServiceName === 'function' &&
    'clients' in value &&
    value.clients instanceof Map &&
    'options' in value &&
    isObject(value.options)
  );
}

// What a proxy does with a question is its own affair.
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !types.isProxy(value);
}
