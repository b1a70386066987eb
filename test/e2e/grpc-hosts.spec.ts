import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Scope,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type CanActivate,
  type ExecutionContext,
  type INestApplicationContext,
  type NestInterceptor,
} from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  GrpcMethod,
  RpcException,
  ServerGrpc,
  Transport,
  type AsyncMicroserviceOptions,
  type ClientGrpcProxy,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { ServerInterceptingCall, status, type ServerInterceptor } from '@grpc/grpc-js';
import { Test } from '@nestjs/testing';
import { Span, TracingModule } from 'nestjs-tracing';
import { catchError, lastValueFrom, of, type Observable } from 'rxjs';
import {
  grpcHosts,
  protoPath,
  startGrpcApp,
  type Echo,
  type GrpcAppOptions,
  type Message,
} from '../support/grpc-app.js';
import { freePort } from '../support/free-port.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { handler, rpcCall, rpcClient, rpcServer, type ExpectedSpan } from '../support/trace-tree.js';

const quiet = { logger: false, abortOnError: false } as const;
const handled = handler('EchoController.unary');

@Controller('echo')
class EchoController {
  @GrpcMethod('Echo', 'Unary')
  unary(message: Message): Message {
    return message;
  }
  @Get()
  http() {
    return 'over HTTP';
  }
}

/** Applications that the tests assemble themselves, each with one or two servers. */
describe('the call of an application', () => {
  let app: INestApplicationContext | undefined;
  let traces: TraceRecorder;
  const clients: ClientGrpcProxy[] = [];

  afterEach(async () => {
    for (const it of clients.splice(0)) it.close();
    await app?.close();
  });

  const options = (port: number) => ({ package: 'test', protoPath, url: `127.0.0.1:${port}` });

  function rootModule() {
    traces = new TraceRecorder();
    @Module({
      imports: [TracingModule.forRoot({ serviceName: 'test', exporter: traces })],
      controllers: [EchoController],
    })
    class AppModule {}
    return AppModule;
  }

  /** A client that is not traced. */
  async function call(port: number): Promise<void> {
    const made = ClientProxyFactory.create({ transport: Transport.GRPC, options: options(port) });
    clients.push(made);
    await lastValueFrom(made.getService<Echo>('Echo').unary({ text: 'hello' }));
  }

  async function expectTraced(...ports: number[]): Promise<void> {
    for (const port of ports) {
      await call(port);
      await traces.expect(rpcServer('test.Echo/Unary', { code: 'OK', attributes: { 'server.port': port } }, handled));
    }
  }

  it.each([
    ['options', (port: number): MicroserviceOptions => ({ transport: Transport.GRPC, options: options(port) })],
    ['a strategy', (port: number): MicroserviceOptions => ({ strategy: new ServerGrpc(options(port)) })],
    [
      'a factory of options',
      (port: number): AsyncMicroserviceOptions => ({
        useFactory: () => ({ transport: Transport.GRPC, options: options(port) }),
        inject: [],
      }),
    ],
    [
      'a factory of a strategy',
      (port: number): AsyncMicroserviceOptions => ({
        useFactory: () => ({ strategy: new ServerGrpc(options(port)) }),
        inject: [],
      }),
    ],
  ])('createMicroservice() with %s', async (_how, optionsFor) => {
    const port = await freePort();
    const microservice = await NestFactory.createMicroservice<MicroserviceOptions | AsyncMicroserviceOptions>(
      rootModule(),
      { ...optionsFor(port), ...quiet },
    );
    app = microservice;
    await microservice.listen();
    await expectTraced(port);
  });

  it('of Test.createTestingModule()', async () => {
    const port = await freePort();
    const testing = await Test.createTestingModule({ imports: [rootModule()] }).compile();
    const microservice = testing.createNestMicroservice<MicroserviceOptions>({
      transport: Transport.GRPC,
      options: options(port),
      logger: false,
    });
    app = microservice;
    await microservice.listen();
    await expectTraced(port);
  });

  it.each([[false], [true]])(
    'with two servers, and HTTP beside them; inheritAppConfig: %s',
    async (inheritAppConfig) => {
      const ports = [await freePort(), await freePort()];
      const nest = await NestFactory.create(rootModule(), quiet);
      app = nest;
      for (const port of ports) {
        nest.connectMicroservice<MicroserviceOptions>(
          { transport: Transport.GRPC, options: options(port) },
          { inheritAppConfig },
        );
      }
      await nest.startAllMicroservices();
      // Calls have to be traced before the application is initialized, and after.
      await expectTraced(...ports);
      await nest.listen(0, '127.0.0.1');
      await expectTraced(...ports);
      await (await fetch(`${await nest.getUrl()}/echo`, { headers: { traceparent: 'none' } })).text();
      await traces.until((spans) => spans.some(({ name }) => name === 'GET /echo'));
      const spans = traces.take().filter(({ kind }) => kind !== 2);
      expect(spans.map(({ name }) => name)).toEqual(['EchoController.http', 'GET /echo']);
    },
  );

  it('that connects its server when it is up', async () => {
    const port = await freePort();
    const nest = await NestFactory.create(rootModule(), quiet);
    app = nest;
    await nest.init();
    nest.connectMicroservice<MicroserviceOptions>({ transport: Transport.GRPC, options: options(port) });
    await nest.startAllMicroservices();
    await expectTraced(port);
  });
});

describe.each(grpcHosts)('in a %s', (host) => {
  async function withApp(
    options: GrpcAppOptions,
    use: (echo: Echo, expectTree: (...trees: ExpectedSpan[]) => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const grpc = await startGrpcApp({ host, controllers: [EchoController], ...options });
    try {
      await use(grpc.echo, (...trees) => grpc.traces.expect(...trees));
    } finally {
      await grpc.close();
    }
  }
  const outcome = (call: Observable<Message>) =>
    lastValueFrom(call.pipe(catchError((error: Error & { details: string }) => of({ text: error.details }))));

  it("keeps the user's own server interceptors, in their order, inside the span", async () => {
    const order: string[] = [];
    const noting =
      (name: string): ServerInterceptor =>
      (_definition, call) =>
        new ServerInterceptingCall(call, {
          start: (next) => {
            order.push(`${name} starts`);
            next({
              onReceiveMetadata(metadata, nextMetadata) {
                order.push(`${name} metadata`);
                nextMetadata(metadata);
              },
            });
          },
          sendStatus(sent, next) {
            order.push(`${name} status`);
            next(name === 'first' ? { ...sent, code: status.ABORTED, details: 'changed' } : sent);
          },
        });
    const channelOptions = { interceptors: [noting('first'), noting('second')] };
    const server = { channelOptions };
    await withApp({ server }, async (echo, expectTree) => {
      await expect(outcome(echo.unary({ text: 'hello' }))).resolves.toEqual({ text: 'changed' });
      expect(order).toEqual([
        'second starts',
        'first starts',
        'first metadata',
        'second metadata',
        'second status',
        'first status',
      ]);
      await expectTree(rpcCall('test.Echo/Unary', 'ABORTED: changed', handled));
    });
    expect(channelOptions.interceptors).toHaveLength(2);
  });

  it('sees a call that an interceptor of the user refuses', async () => {
    const refusing: ServerInterceptor = (_definition, call) =>
      new ServerInterceptingCall(call, {
        start: (next) =>
          next({
            onReceiveMetadata: () => call.sendStatus({ code: status.UNAUTHENTICATED, details: 'who are you?' }),
          }),
      });
    await withApp({ server: { channelOptions: { interceptors: [refusing] } } }, async (echo, expectTree) => {
      await expect(outcome(echo.unary({}))).resolves.toEqual({ text: 'who are you?' });
      await expectTree(rpcCall('test.Echo/Unary', 'UNAUTHENTICATED: who are you?'));
    });
  });

  it('has interceptors around the span of the handler', async () => {
    @Injectable()
    class StepInterceptor implements NestInterceptor {
      @Span('step')
      intercept(_execution: ExecutionContext, next: CallHandler) {
        return next.handle();
      }
    }
    @Controller()
    @UseInterceptors(StepInterceptor)
    class SteppingController {
      @GrpcMethod('Echo', 'Unary')
      unary(message: Message): Message {
        return message;
      }
    }
    await withApp({ controllers: [SteppingController] }, async (echo, expectTree) => {
      await outcome(echo.unary({}));
      await expectTree(
        rpcCall('test.Echo/Unary', 'OK', {
          name: 'step',
          attributes: {},
          children: [handler('SteppingController.unary')],
        }),
      );
    });
  });

  it('traces controllers that are made for each call', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class Scoped {
      @Span('scoped')
      answer(message: Message) {
        return message;
      }
    }
    @Controller()
    class ScopedController {
      constructor(@Inject(Scoped) private readonly scoped: Scoped) {}
      @GrpcMethod('Echo', 'Unary')
      unary(message: Message): Message {
        return this.scoped.answer(message);
      }
    }
    await withApp({ controllers: [ScopedController], providers: [Scoped] }, async (echo, expectTree) => {
      for (let n = 0; n < 2; n++) {
        await expect(outcome(echo.unary({ text: 'x' }))).resolves.toMatchObject({ text: 'x' });
        await expectTree(rpcCall('test.Echo/Unary', 'OK', handler('ScopedController.unary', { name: 'scoped' })));
      }
    });
  });

  @Injectable()
  class ThrowingGuard implements CanActivate {
    canActivate(): boolean {
      throw new RpcException({ code: status.UNAUTHENTICATED, message: 'no' });
    }
  }
  @Controller()
  @UseGuards(ThrowingGuard)
  class ClassController extends EchoController {
    @GrpcMethod('Echo', 'Unary')
    override unary(message: Message): Message {
      return message;
    }
  }
  @Controller()
  class MethodController {
    @GrpcMethod('Echo', 'Unary')
    @UseGuards(new ThrowingGuard())
    unary(message: Message): Message {
      return message;
    }
  }
  const appGuard: [string, GrpcAppOptions] = [
    'APP_GUARD',
    { providers: [{ provide: APP_GUARD, useClass: ThrowingGuard }] },
  ];
  const globalGuard: [string, GrpcAppOptions] = [
    'useGlobalGuards()',
    { prepare: (app) => app.useGlobalGuards(new ThrowingGuard()) },
  ];
  const guards: [string, GrpcAppOptions][] = [
    ['of a class', { controllers: [ClassController] }],
    ['of a method', { controllers: [MethodController] }],
    // A transport that does not inherit the application's configuration has no global guards, and one that does has
    // those that existed when it was connected.
    ...(host === 'hybrid' ? [] : [appGuard]),
    ...(host === 'microservice' ? [globalGuard] : []),
  ];
  it.each(guards)('records what a guard throws on the call: %s', async (_kind, options) => {
    await withApp(options, async (echo, expectTree) => {
      await expect(outcome(echo.unary({}))).resolves.toEqual({ text: 'no' });
      const code = 'UNAUTHENTICATED: no';
      const events = ['exception RpcException: no'];
      await expectTree(rpcClient('test.Echo/Unary', code, rpcServer('test.Echo/Unary', { code, events })));
    });
  });
});
