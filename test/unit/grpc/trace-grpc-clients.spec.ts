import { describe, expect, it, jest } from '@jest/globals';
import { Client, credentials } from '@grpc/grpc-js';
import type { ModulesContainer } from '@nestjs/core';
import type { ClientInterceptor, ClientOptions } from '../../../lib/grpc/grpc-js.js';
import { traceGrpcClients } from '../../../lib/grpc/trace-grpc-clients.js';
import { recordSpans } from '../../support/recorded-spans.js';

const { diagnostics } = recordSpans();
const interceptor: ClientInterceptor = (options, next) => next(options);

/** The interceptor options of a grpc-js client, which it stores under its own symbols. */
function interceptorsOf(made: object): unknown {
  return Object.getOwnPropertySymbols(made)
    .map((symbol) => (made as Record<symbol, unknown>)[symbol])
    .find((value) => Array.isArray(value));
}

class FakeClient {
  readonly clients = new Map<string, Client>();
  constructor(public options: { channelOptions?: ClientOptions } = {}) {}
  getClientByServiceName(name: string) {
    return this.clients.get(name) ?? this.createClientByServiceName(name);
  }
  createClientByServiceName(name: string) {
    const made = new Client('localhost:1', credentials.createInsecure(), this.options.channelOptions as object);
    this.clients.set(name, made);
    return made;
  }
  get interceptors() {
    return interceptorsOf(this.getClientByServiceName('Echo'));
  }
}

/** Modules whose providers have these instances. */
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
    expect(client.options).toBe(options);
    expect(client.interceptors).toEqual([interceptor]);
  });

  it('reads options that change later', () => {
    const client = new FakeClient();
    traceGrpcClients(modules(client), interceptor);
    const later: ClientInterceptor = (options, next) => next(options);
    client.options.channelOptions = { interceptors: [later] };
    expect(client.interceptors).toEqual(expect.arrayContaining([interceptor, later]));
  });

  it('leaves keys, methods and the identity of a client that is in use as they are', () => {
    const client = new FakeClient();
    const made = client.getClientByServiceName('Echo');
    const before = [
      Reflect.ownKeys(made),
      Object.entries(Object.getOwnPropertyDescriptors(made)),
      made.makeUnaryRequest,
    ];
    const keys = Object.keys(client);
    traceGrpcClients(modules(client), interceptor);
    expect(client.getClientByServiceName('Echo')).toBe(made);
    expect([
      Reflect.ownKeys(made),
      Object.entries(Object.getOwnPropertyDescriptors(made)),
      made.makeUnaryRequest,
    ]).toEqual(before);
    expect(Object.keys(client)).toEqual(keys);
    expect(client.interceptors).toEqual([interceptor]);
  });

  it('calls what the class has when it is called, a spy say', () => {
    class Spied extends FakeClient {}
    const client = new Spied();
    traceGrpcClients(modules(client), interceptor);
    const spy = jest.spyOn(FakeClient.prototype, 'createClientByServiceName');
    try {
      expect(client.interceptors).toEqual([interceptor]);
      expect(spy.mock.calls).toEqual([['Echo']]);
      expect(spy.mock.contexts).toEqual([client]);
      spy.mockReturnValueOnce('a mock' as never);
      expect(client.getClientByServiceName('Other')).toBe('a mock');
      expect(diagnostics).toEqual([]);
    } finally {
      spy.mockRestore();
    }
  });

  it('leaves mocks as they are', () => {
    const mocks: object[] = [
      { getService: jest.fn() },
      { getService: jest.fn(), getClientByServiceName: jest.fn() },
      Object.assign(new FakeClient(), { createClientByServiceName: jest.fn() }),
    ];
    const before = mocks.map((mock) => Object.getOwnPropertyDescriptors(mock));
    traceGrpcClients(modules(...mocks), interceptor);
    expect(mocks.map((mock) => Object.getOwnPropertyDescriptors(mock))).toEqual(before);
    const client = Object.assign(new FakeClient(), { clients: new Map([['Echo', { unary: jest.fn() }]]) });
    traceGrpcClients(modules(client), interceptor);
    expect(diagnostics).toEqual([]);
  });

  it('says so where a client is of another make', () => {
    const client = new FakeClient();
    client.clients.set('Echo', { makeUnaryRequest() {} } as unknown as Client);
    traceGrpcClients(modules(client), interceptor);
    expect(diagnostics).toEqual([expect.stringContaining('cannot be traced')]);
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
    expect(client.interceptors).toEqual([]);
  });

  it('does not stop at what cannot be looked at', () => {
    const client = new FakeClient();
    const asked: string[] = [];
    const broken = {
      getClientByServiceName() {},
      createClientByServiceName() {},
      get clients(): Map<string, unknown> {
        asked.push('clients');
        throw new Error('broken');
      },
    };
    traceGrpcClients(
      modules(broken, undefined, null, 'text', () => {}, Symbol('s'), client),
      interceptor,
    );
    expect(asked).toEqual([]);
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
