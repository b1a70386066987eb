import { types } from 'node:util';
import type { ModulesContainer } from '@nestjs/core';
import { guarded, warn } from '../core/diagnostics.js';
import { overrideOnInstance } from '../core/override-on-instance.js';
import type { ClientInterceptor } from './grpc-js.js';
import { traceServiceClient } from './trace-service-client.js';

/** Nest's `ClientGrpc`, as far as tracing uses it. It makes a client of grpc-js for each service that it is asked for. */
interface GrpcClient {
  readonly clients: Map<string, unknown>;
  createClientByServiceName(name: string): unknown;
}

/** More than any class has. */
const MAX_FIELDS = 1000;

const traced = new WeakSet<GrpcClient>();

/** Traces every gRPC client that Nest has made so far: those in DI, and those that are held by what is in DI. */
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
  // What the application has asked for already, in a constructor say.
  for (const inUse of client.clients.values()) trace(inUse, interceptor);
  // A mock of the application stays the mock.
  if (Object.hasOwn(client, 'createClientByServiceName')) return;
  function createClientByServiceName(this: GrpcClient, name: string, ...more: unknown[]): unknown {
    // An inherited method is looked up at each call, since a spy may replace it later.
    const inherited = Object.getPrototypeOf(client) as GrpcClient;
    const made = Reflect.apply(inherited.createClientByServiceName, this, [name, ...more]) as unknown;
    trace(made, interceptor);
    return made;
  }
  if (!overrideOnInstance(client, 'createClientByServiceName', createClientByServiceName))
    warnUntraced('does not take a method');
}

function trace(made: unknown, interceptor: ClientInterceptor): void {
  guarded('Tracing a gRPC client', () => {
    if (isServiceClient(made) && !traceServiceClient(made, interceptor)) warnUntraced('is not as grpc-js makes it');
  });
}

function warnUntraced(why: string): void {
  warn('nest-hooks', `A gRPC client cannot be traced: it ${why}. Make it with tracedGrpcOptions().`);
}

// A mock of the application is none.
function isServiceClient(made: unknown): made is object {
  return isObject(made) && typeof valueOf(made, 'makeUnaryRequest') === 'function';
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
    typeof valueOf(value, 'getClientByServiceName') === 'function' &&
    typeof valueOf(value, 'createClientByServiceName') === 'function' &&
    valueOf(value, 'clients') instanceof Map
  );
}

// Getters are not asked: a provider may be anything.
function valueOf(instance: object, key: string): unknown {
  for (let owner: unknown = instance; isObject(owner); owner = Object.getPrototypeOf(owner)) {
    const own = Object.getOwnPropertyDescriptor(owner, key);
    if (own) return own.value;
  }
  return undefined;
}

// What a proxy does with a question is its own affair.
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !types.isProxy(value);
}
