import { describe, expect, it } from '@jest/globals';
import type { ModulesContainer } from '@nestjs/core';
import type { ClientInterceptor, ClientOptions } from '../../../lib/grpc/grpc-js.js';
import { traceGrpcClients } from '../../../lib/grpc/trace-grpc-clients.js';

const interceptor: ClientInterceptor = (options, next) => next(options);

class FakeClient {
  readonly clients = new Map();
  constructor(public options: { channelOptions?: ClientOptions } = {}) {}
  getClientByServiceName() {}
  get interceptors() {
    return this.options.channelOptions?.interceptors;
  }
}

/** Modules in which these are the instances of providers. */
function modules(...instances: unknown[]): ModulesContainer {
  const providers = new Map(instances.map((instance, index) => [index, { instance }]));
  const module = { providers, controllers: new Map(), injectables: new Map() };
  return new Map([['module', module]]) as unknown as ModulesContainer;
}

describe('traceGrpcClients()', () => {
  it('finds a client once, however often it is there', () => {
    const client = new FakeClient();
    traceGrpcClients(modules(client, { client }, client), interceptor);
    traceGrpcClients(modules(client), interceptor);
    expect(client.interceptors).toEqual([interceptor]);
  });

  it('leaves the options that it was given as they are', () => {
    const options = Object.freeze({ url: 'localhost', channelOptions: Object.freeze({ 'grpc.max_metadata_size': 1 }) });
    const client = new FakeClient(options as object);
    traceGrpcClients(modules(client), interceptor);
    expect(client.options).toMatchObject(options);
    expect(client.interceptors).toEqual([interceptor]);
  });

  it('does not call getters or proxies', () => {
    const touched: string[] = [];
    const client = new FakeClient();
    const trap = new Proxy(
      {},
      { get: (_, key) => touched.push(`get ${String(key)}`), has: () => !touched.push('has') },
    );
    const holder = {
      trap,
      get client() {
        touched.push('getter');
        return client;
      },
    };
    traceGrpcClients(modules(trap, holder), interceptor);
    expect(touched).toEqual([]);
    expect(client.interceptors).toBeUndefined();
  });

  it('does not stop at what cannot be looked at', () => {
    const client = new FakeClient();
    const broken = {
      getClientByServiceName() {},
      clients: new Map(),
      get options() {
        throw new Error('broken');
      },
    };
    traceGrpcClients(
      modules(broken, undefined, null, 'text', () => {}, Symbol('s'), client),
      interceptor,
    );
    expect(client.interceptors).toEqual([interceptor]);
  });

  it('takes no time over bytes, lists and tables', () => {
    const bytes = Buffer.alloc(50_000_000);
    const list = Array.from({ length: 1_000_000 }, (_, index) => index);
    const table = Object.fromEntries(list.slice(0, 20_000).map((index) => [`key ${index}`, index]));
    const started = performance.now();
    traceGrpcClients(modules(bytes, new Float64Array(5_000_000), list, table), interceptor);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
