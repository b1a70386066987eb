import { InterceptingCall, Metadata, type Interceptor } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  UseGuards,
  type CanActivate,
  type DynamicModule,
  type INestApplication,
  type OnApplicationBootstrap,
  type OnModuleInit,
  type Provider,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  Client,
  ClientGrpcProxy,
  ClientProxyFactory,
  ClientsModule,
  Transport,
  type ClientGrpc,
  type ClientsModuleOptionsFactory,
} from '@nestjs/microservices';
import {
  grpcTracingInterceptor,
  TracingConfigurationError,
  tracedGrpcOptions,
  TracingModule,
  type TracingModuleOptions,
} from 'nestjs-tracing';
import { from, isObservable, lastValueFrom, type Observable } from 'rxjs';
import { EchoServer } from '../support/echo-server.js';
import { protoPath, type Echo, type Message } from '../support/grpc-app.js';
import { call, echoOptions } from '../support/grpc-client-app.js';
import { Warnings } from '../support/nest.js';
import { TraceRecorder } from '../support/trace-recorder.js';

let server: EchoServer;
beforeAll(async () => (server = await EchoServer.start()));
afterAll(() => server.die());
beforeEach(() => void server.received.splice(0));

const options = () => echoOptions(server.address);
const provider = (name: string) => ({ name, transport: Transport.GRPC as const, options: options() });
const create = (more = {}) =>
  ClientProxyFactory.create({ transport: Transport.GRPC, options: { ...options(), ...more } }) as unknown as ClientGrpc;
const ask = (client: ClientGrpc) => lastValueFrom(client.getService<Echo>('Echo').unary({ text: 'a' }));

interface Started {
  readonly app: INestApplication;
  readonly traces: TraceRecorder;
  readonly warnings: Warnings;
}

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

async function start(imports: readonly (Type | DynamicModule)[], more: TracingModuleOptions = {}): Promise<Started> {
  const traces = new TraceRecorder();
  const warnings = new Warnings();
  @Module({
    imports: [
      TracingModule.forRoot({ serviceName: 'test', ...more, exporter: traces, spanProcessors: [traces] }),
      ...imports,
    ],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: warnings, abortOnError: false });
  apps.push(app);
  await app.init();
  return { app, traces, warnings };
}

/** A module with these providers. */
function moduleWith(providers: Provider[], imports: DynamicModule[] = []): DynamicModule {
  @Module({})
  class FeatureModule {}
  return { module: FeatureModule, imports, providers };
}

/** Creates an application of these modules, makes a call with the client, and expects that it is traced once. */
async function expectTraced(imports: readonly (Type | DynamicModule)[], find: (app: INestApplication) => ClientGrpc) {
  const { app, traces, warnings } = await start(imports);
  traces.reset();
  await ask(find(app));
  await traces.expect(call('Unary'));
  expect(server.lastMetadata.get('traceparent')).toHaveLength(1);
  expect(warnings.messages).toEqual([]);
  await app.close();
}

describe('a client of Nest is traced', () => {
  class OptionsFactory implements ClientsModuleOptionsFactory {
    createClientOptions() {
      return provider('unused');
    }
  }

  class CustomClient extends ClientGrpcProxy {}

  it.each<[string, () => DynamicModule]>([
    ['ClientsModule.register()', () => ClientsModule.register([provider('CLIENT')])],
    ['register(), global', () => ClientsModule.register({ isGlobal: true, clients: [provider('CLIENT')] })],
    [
      'registerAsync() with a factory',
      () =>
        ClientsModule.registerAsync([
          {
            name: 'CLIENT',
            useFactory: async () => Promise.resolve({ transport: Transport.GRPC, options: options() }),
          },
        ]),
    ],
    ['registerAsync() with a class', () => ClientsModule.registerAsync([{ name: 'CLIENT', useClass: OptionsFactory }])],
    [
      'a client class of its own',
      () => ClientsModule.register([{ name: 'CLIENT', customClass: CustomClient as never, options: options() }]),
    ],
  ])('from %s', async (_name, module) => {
    await expectTraced([module()], (app) => app.get('CLIENT', { strict: false }));
  });

  it('from a custom provider, in a module that is not global', async () => {
    @Module({ providers: [{ provide: 'CLIENT', useFactory: async () => Promise.resolve(create()) }] })
    class DeepModule {}
    @Module({ imports: [DeepModule] })
    class FeatureModule {}
    await expectTraced([FeatureModule], (app) => app.get('CLIENT', { strict: false }));
  });

  it('as a property with @Client(), of providers and controllers', async () => {
    const decorated = { transport: Transport.GRPC as const, options: options() };
    @Injectable()
    class Service {
      @Client(decorated) readonly client!: ClientGrpc;
    }
    @Controller()
    class ServiceController {
      @Client({ ...decorated }) readonly client!: ClientGrpc;
    }
    @Module({ providers: [Service], controllers: [ServiceController] })
    class FeatureModule {}
    await expectTraced([FeatureModule], (app) => app.get(Service).client);
    await expectTraced([FeatureModule], (app) => app.get(ServiceController).client);
  });

  it('held in a field of a provider, a controller, a guard, or of an object that is a provider', async () => {
    @Injectable()
    class Service {
      readonly client = create();
    }
    @Injectable()
    class Guard implements CanActivate {
      static client: ClientGrpc;
      readonly client = (Guard.client = create());
      canActivate() {
        return true;
      }
    }
    @Controller()
    class ServiceController {
      readonly client = create();
      @Get()
      @UseGuards(Guard)
      get() {}
    }
    @Module({
      providers: [Service, { provide: 'CLIENTS', useFactory: () => ({ echo: create() }) }],
      controllers: [ServiceController],
    })
    class FeatureModule {}
    await expectTraced([FeatureModule], (app) => app.get(Service).client);
    await expectTraced([FeatureModule], (app) => app.get(ServiceController).client);
    await expectTraced([FeatureModule], () => Guard.client);
    await expectTraced([FeatureModule], (app) => app.get<{ echo: ClientGrpc }>('CLIENTS', { strict: false }).echo);
  });

  it('for each of its packages and services', async () => {
    const health = `${import.meta.dirname}/../support/second.proto`;
    const module = ClientsModule.register([
      {
        name: 'CLIENT',
        transport: Transport.GRPC,
        options: { package: ['test', 'second.v1'], protoPath: [protoPath, health], url: server.address },
      },
    ]);
    const { app, traces } = await start([module]);
    traces.reset();
    const client = app.get<ClientGrpc>('CLIENT', { strict: false });
    await ask(client);
    interface Second {
      get(message: object): ReturnType<Echo['unary']>;
    }
    for (const name of ['One', 'Two']) {
      const answer = lastValueFrom(client.getService<Second>(name).get({}));
      await expect(answer).rejects.toMatchObject({ code: 12 });
    }
    const unknown = (name: string) => ({
      ...call('Unary', 'UNIMPLEMENTED', expect.any(String) as unknown as string),
      name,
      status: expect.stringMatching(/^ERROR: /) as unknown as string,
      attributes: { 'rpc.method': name, 'rpc.status_code': 'UNIMPLEMENTED' },
    });
    await traces.expect(call('Unary'), unknown('second.v1.One/Get'), unknown('second.v1.Two/Get'));
  });
});

describe('a client that is first used', () => {
  it.each(['onModuleInit', 'onApplicationBootstrap'] as const)('in %s of another module is traced', async (hook) => {
    @Injectable()
    class Service implements OnModuleInit, OnApplicationBootstrap {
      constructor(@Inject('CLIENT') private readonly client: ClientGrpc) {}
      async onModuleInit() {
        if (hook === 'onModuleInit') await ask(this.client);
      }
      async onApplicationBootstrap() {
        if (hook === 'onApplicationBootstrap') await ask(this.client);
      }
    }
    @Module({ imports: [ClientsModule.register([provider('CLIENT')])], providers: [Service] })
    class FeatureModule {}
    const { traces, warnings } = await start([FeatureModule]);
    await traces.expect(call('Unary'));
    expect(warnings.messages).toEqual([]);
  });

  // The client is injected before tracing has started, and the application keeps using the same object.
  describe('in a constructor', () => {
    const order: string[] = [];
    const noting =
      (name: string): Interceptor =>
      (callOptions, next) => {
        order.push(name);
        return new InterceptingCall(next(callOptions));
      };

    @Injectable()
    class Service {
      readonly echo: Echo;
      constructor(@Inject('CLIENT') readonly client: ClientGrpc) {
        this.echo = client.getService<Echo>('Echo');
      }
    }

    const startWith = async (channelOptions: object = {}) => {
      order.length = 0;
      const clients = ClientsModule.register([
        { name: 'CLIENT', transport: Transport.GRPC, options: echoOptions(server.address, { channelOptions }) },
      ]);
      const { app, traces, warnings } = await start([moduleWith([Service], [clients])]);
      const { echo } = app.get(Service);
      return { traces, warnings, echo };
    };

    const message = { text: 'a', count: 1 };
    const metadata = new Metadata();
    metadata.set('x-mine', '1');
    it.each<[keyof Echo, unknown]>([
      ['unary', message],
      ['serverStream', message],
      ['clientStream', from([message])],
      ['bidi', from([message])],
    ])('is traced: %s, however it is called', async (method, argument) => {
      const { traces, warnings, echo } = await startWith();
      const invoke = echo[method] as (...args: unknown[]) => Observable<Message>;
      const span = call(method[0]!.toUpperCase() + method.slice(1));
      // Nest passes on no options of a call whose requests are a stream.
      for (const args of [[], [metadata], ...(isObservable(argument) ? [] : [[metadata, {}], [{}]])]) {
        await lastValueFrom(invoke(argument, ...args));
        await traces.expect(span);
        expect(server.lastMetadata.get('traceparent')).toHaveLength(1);
        expect(server.lastMetadata.get('x-mine')).toEqual(args.includes(metadata) ? ['1'] : []);
      }
      expect(warnings.messages).toEqual([]);
    });

    it.each([
      ['interceptors', () => ({ interceptors: [noting('client')] })],
      ['interceptor_providers', () => ({ interceptor_providers: [() => noting('client')] })],
    ])('is traced, with its %s or those of a call', async (_name, channelOptions) => {
      const { traces, echo } = await startWith(channelOptions());
      await lastValueFrom(echo.unary(message));
      await lastValueFrom(echo.unary(message, metadata, { interceptors: [noting('call')] }));
      await lastValueFrom(echo.unary(message, metadata, { interceptor_providers: [() => noting('call')] }));
      expect(order).toEqual(['client', 'call', 'call']);
      await traces.expect(call('Unary'), call('Unary'), call('Unary'));
    });

    it('refuses the same arguments in the same words', async () => {
      const { echo } = await startWith();
      const untraced = create().getService<Echo>('Echo');
      for (const it of [echo, untraced]) {
        const answer = lastValueFrom(it.unary(message, undefined));
        await expect(answer).rejects.toThrow("Cannot read properties of undefined (reading 'interceptors')");
      }
    });
  });
});

describe('a client has one span for each call', () => {
  const twice = { interceptors: [grpcTracingInterceptor()] };
  const tracing = grpcTracingInterceptor() as Interceptor;
  const copying: Interceptor = (callOptions, next) => new InterceptingCall(next({ ...callOptions }));

  it.each<[string, () => ClientGrpc]>([
    ['tracedGrpcOptions() in DI', () => create(tracedGrpcOptions(options()))],
    ['tracedGrpcOptions() twice', () => create(tracedGrpcOptions(tracedGrpcOptions(options())))],
    ['grpcTracingInterceptor() in DI', () => create({ channelOptions: twice })],
    [
      'grpcTracingInterceptor() by a provider',
      () => create({ channelOptions: { interceptor_providers: [() => tracing] } }),
    ],
    [
      'tracedGrpcOptions() with providers',
      () => create(tracedGrpcOptions({ channelOptions: { interceptor_providers: [() => copying] } })),
    ],
    [
      'an interceptor between two that trace',
      () => create({ channelOptions: { interceptor_providers: [() => copying, () => tracing] } }),
    ],
  ])('with %s', async (_name, factory) => {
    const { app, traces } = await start([moduleWith([{ provide: 'CLIENT', useFactory: factory }])]);
    const echo = app.get<ClientGrpc>('CLIENT', { strict: false }).getService<Echo>('Echo');
    await lastValueFrom(echo.unary({}));
    await lastValueFrom(echo.unary({}, new Metadata(), { interceptors: [copying] }));
    await traces.expect(call('Unary'), call('Unary'));
  });

  it('with two applications in the process, one after the other or at once', async () => {
    const shared = create();
    const module = moduleWith([{ provide: 'CLIENT', useValue: shared }]);
    const first = await start([module]);
    await ask(shared);
    await first.traces.expect(call('Unary'));
    const second = await start([module, ClientsModule.register([provider('OWN')])]);
    await ask(shared);
    await ask(second.app.get('OWN', { strict: false }));
    // The first application's provider is the one of the process.
    await first.traces.expect(call('Unary'), call('Unary'));
    await second.app.close();
    await first.app.close();
    const third = await start([module]);
    await ask(shared);
    await third.traces.expect(call('Unary'));
    await third.app.close();
  });
});

describe('tracedGrpcOptions()', () => {
  it('traces a client that nothing knows of, and keeps what it is given', async () => {
    const { traces } = await start([]);
    const given = { ...options(), channelOptions: { 'grpc.primary_user_agent': 'mine', interceptors: [] } };
    const before = structuredClone(given);
    const traced = tracedGrpcOptions(given);
    expect(given).toEqual(before);
    expect(traced).toMatchObject({ ...options(), channelOptions: { 'grpc.primary_user_agent': 'mine' } });
    await ask(ClientProxyFactory.create({ transport: Transport.GRPC, options: traced }));
    await traces.expect(call('Unary'));
    expect(server.lastMetadata.get('user-agent')[0]).toMatch(/^mine /);
  });

  it.each([tracedGrpcOptions, (_: object, grpc: object) => grpcTracingInterceptor(grpc)])(
    'checks its options',
    (use) => {
      expect(() => use({}, { ignored: [] } as never)).toThrow(TracingConfigurationError);
      expect(() => use({}, { ignore: 'no method!' })).toThrow(/"grpc.ignore" is "no method!"/);
    },
  );

  const passing: Interceptor = (callOptions, next) => new InterceptingCall(next(callOptions));
  it.each([
    ['nothing else', {}],
    ['interceptors', { interceptors: [passing] }],
    ['interceptor_providers', { interceptor_providers: [() => passing] }],
  ])('has options of its own, which go before those of the module, beside %s', async (_name, channelOptions) => {
    const factory = () => create(tracedGrpcOptions({ channelOptions }, { requestMetadata: ['x-mine'] }));
    const { app, traces } = await start([moduleWith([{ provide: 'CLIENT', useFactory: factory }])]);
    const metadata = new Metadata();
    metadata.set('x-mine', '1');
    const echo = app.get<ClientGrpc>('CLIENT', { strict: false }).getService<Echo>('Echo');
    const recorded = call('Unary', 'OK', '', { attributes: { 'rpc.request.header.x-mine': ['1'] } });
    await lastValueFrom(echo.unary({}, metadata));
    await lastValueFrom(echo.unary({}, metadata, { interceptors: [passing] }));
    await traces.expect(recorded, recorded);
  });
});
