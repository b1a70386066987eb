import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Module,
  UseGuards,
  UseInterceptors,
  type CallHandler,
  type INestApplicationContext,
} from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import {
  GrpcMethod,
  GrpcStreamCall,
  GrpcStreamMethod,
  ServerGrpc,
  Transport,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { ServerInterceptingCall, type ServerInterceptor } from '@grpc/grpc-js';
import { lastValueFrom, NEVER, type Observable } from 'rxjs';
import {
  grpcHosts,
  protoPath,
  startGrpcApp,
  type GrpcApp,
  type GrpcAppOptions,
  type Message,
} from '../support/grpc-app.js';
import { freePort } from '../support/free-port.js';
import { frame, RawGrpcCall } from '../support/raw-grpc-call.js';

// These tests cover the undocumented parts of Nest and of grpc-js that tracing uses. When one of them fails, a release has
// moved something: users lose a part of their traces, silently, until lib/grpc or lib/handlers follows.

class PassingInterceptor {
  intercept(_execution: unknown, next: CallHandler) {
    order.push('interceptor');
    return next.handle();
  }
}

let order: string[] = [];

@Controller()
class EchoController {
  @GrpcMethod('Echo', 'Unary')
  unary(message: Message): Message {
    order.push('handler');
    return message;
  }
  @GrpcMethod('Echo', 'ServerStream')
  serverStream(): Observable<Message> {
    return NEVER;
  }
  @GrpcStreamMethod('Echo', 'Bidi')
  bidi(messages: Observable<Message>): Observable<Message> {
    return messages;
  }
  @GrpcStreamCall('Echo', 'ClientStream')
  clientStream(): void {}
}

/** The call that grpc-js passes to interceptors, as lib/grpc/grpc-js.ts declares it. */
interface Call {
  start(listener: unknown): void;
  sendMetadata(metadata: unknown): void;
  sendMessage(message: unknown, callback: () => void): void;
  sendStatus(status: { code: number; details: string }): void;
  getPeer(): string;
  getHost(): string;
  getDeadline(): Date | number;
  getConnectionInfo(): { remoteAddress?: string; remotePort?: number };
  checkCancelled(): boolean;
}

describe('Nest', () => {
  let app: INestApplicationContext | undefined;
  let grpc: GrpcApp | undefined;

  afterEach(async () => {
    order = [];
    await app?.close();
    await grpc?.close();
    app = grpc = undefined;
  });

  const start = async (options: GrpcAppOptions = {}) =>
    (grpc = await startGrpcApp({ controllers: [EchoController], ...options, tracing: false }));

  /** A module that is notified of the transports, and the notifications. */
  function listening(seen: { transport: ServerGrpc; handlers: number; listening: boolean }[]) {
    @Module({ controllers: [EchoController] })
    class ListeningModule {
      constructor(modules: ModulesContainer) {
        modules.getRpcTargetRegistry<ServerGrpc>().subscribe((transport) => {
          const { grpcClient } = transport as unknown as { grpcClient: unknown };
          seen.push({ transport, handlers: transport.getHandlers().size, listening: grpcClient !== undefined });
        });
      }
    }
    Reflect.defineMetadata('design:paramtypes', [ModulesContainer], ListeningModule);
    return ListeningModule;
  }

  it.each([['createMicroservice()'], ['connectMicroservice()']] as const)(
    'tells of a gRPC transport before it has handlers and listens: %s',
    async (how) => {
      const seen: Parameters<typeof listening>[0] = [];
      const transport: MicroserviceOptions = {
        transport: Transport.GRPC,
        options: { package: 'test', protoPath, url: `127.0.0.1:${await freePort()}` },
      };
      if (how === 'createMicroservice()') {
        const quiet = { logger: false, abortOnError: false } as const;
        const microservice = await NestFactory.createMicroservice<MicroserviceOptions>(listening(seen), {
          ...transport,
          ...quiet,
        });
        app = microservice;
        await microservice.listen();
      } else {
        const nest = await NestFactory.create(listening(seen), { logger: false, abortOnError: false });
        app = nest;
        nest.connectMicroservice(transport);
        await nest.startAllMicroservices();
      }
      expect(seen).toEqual([{ transport: expect.any(ServerGrpc), handlers: 0, listening: false }]);
      expect(seen[0]!.transport.transportId).toBe(4);
      // This is the same object that receives the calls.
      expect(seen[0]!.transport.getHandlers().size).toBe(4);
    },
  );

  it('reads the interceptors of a gRPC transport from its `options` when it begins to listen', async () => {
    const prepare: GrpcAppOptions['prepare'] = (nest) => {
      const { serverInstance } = nest as unknown as { serverInstance: { options: object } };
      const interceptors: ServerInterceptor[] = [
        (_definition, call) => {
          order.push('interceptor');
          return new ServerInterceptingCall(call);
        },
      ];
      serverInstance.options = { ...serverInstance.options, channelOptions: { interceptors } };
    };
    const { plain } = await start({ prepare });
    await lastValueFrom(plain.unary({}));
    expect(order).toEqual(['interceptor', 'handler']);
  });

  it.each(grpcHosts)(
    'reads the interceptors of a class from `__interceptors__` when it registers handlers: %s',
    async (host) => {
      @Controller()
      class LateController extends EchoController {
        @GrpcMethod('Echo', 'Unary')
        override unary(message: Message): Message {
          return super.unary(message);
        }
      }
      @Module({})
      class MarkingModule {
        constructor(modules: ModulesContainer) {
          modules.getRpcTargetRegistry().subscribe(() => {
            Reflect.defineMetadata('__interceptors__', [new PassingInterceptor()], LateController);
          });
        }
      }
      Reflect.defineMetadata('design:paramtypes', [ModulesContainer], MarkingModule);
      const { plain } = await start({ host, controllers: [LateController], imports: [MarkingModule] });
      await lastValueFrom(plain.unary({}));
      expect(order).toEqual(['interceptor', 'handler']);
    },
  );

  it('keeps what decorators say under the keys that tracing reads', () => {
    const interceptor = new PassingInterceptor();
    const guard = { canActivate: () => true };
    class Decorated {
      method() {}
    }
    UseInterceptors(interceptor)(Decorated);
    UseGuards(guard)(Decorated);
    expect(Reflect.getMetadata('__interceptors__', Decorated)).toEqual([interceptor]);
    expect(Reflect.getMetadata('__guards__', Decorated)).toEqual([guard]);
    const { unary, bidi, clientStream } = EchoController.prototype;
    const marked = [unary, bidi, clientStream].map((it) => Reflect.hasMetadata('microservices:pattern', it));
    expect(marked).toEqual([true, true, true]);
  });

  it('says `rpc` of what it executes for a call', async () => {
    const types: string[] = [];
    class TypeInterceptor {
      intercept(execution: { getType(): string }, next: CallHandler) {
        types.push(execution.getType());
        return next.handle();
      }
    }
    const { plain } = await start({ prepare: (nest) => nest.useGlobalInterceptors(new TypeInterceptor()) });
    await lastValueFrom(plain.unary({}));
    expect(types).toEqual(['rpc']);
  });
});

describe('grpc-js', () => {
  /** An application with the interceptor that is nearest to the wire. */
  async function withInterceptor(
    interceptor: (call: Call) => void,
    use: (grpc: GrpcApp) => Promise<void>,
  ): Promise<void> {
    const interceptors: ServerInterceptor[] = [
      (_definition, call) => {
        interceptor(call as unknown as Call);
        return call as ServerInterceptingCall;
      },
    ];
    const grpc = await startGrpcApp({
      controllers: [EchoController],
      server: { channelOptions: { interceptors } },
      tracing: false,
    });
    try {
      await use(grpc);
    } finally {
      await grpc.close();
    }
  }

  it('hands over a call with all that tracing asks of it', async () => {
    const seen: object[] = [];
    const look = (call: Call) =>
      seen.push({
        host: call.getHost(),
        deadline: call.getDeadline(),
        peer: call.getPeer(),
        connection: call.getConnectionInfo(),
        cancelled: call.checkCancelled(),
      });
    await withInterceptor(look, async ({ plain, address }) => {
      await lastValueFrom(plain.unary({}));
      expect(seen).toEqual([
        {
          host: address,
          deadline: Infinity,
          peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
          connection: expect.objectContaining({ remoteAddress: '127.0.0.1', remotePort: expect.any(Number) }),
          cancelled: false,
        },
      ]);
    });
  });

  it('goes through methods that were put in front of those of the call', async () => {
    const seen: string[] = [];
    const watch = (call: Call) => {
      for (const key of ['start', 'sendMetadata', 'sendMessage', 'sendStatus'] as const) {
        const method = call[key].bind(call) as (...args: unknown[]) => void;
        call[key] = (...args: unknown[]) => {
          seen.push(key);
          method(...args);
        };
      }
    };
    await withInterceptor(watch, async ({ plain }) => {
      await lastValueFrom(plain.unary({}));
      expect(seen).toEqual(['start', 'sendMessage', 'sendMetadata', 'sendStatus']);
    });
  });

  it('sends what it answers by itself through `sendStatus`, and the loss of a caller through `onCancel`', async () => {
    const seen: unknown[] = [];
    let started = () => {};
    let cancelled = () => {};
    const watch = (call: Call) => {
      const sendStatus = call.sendStatus.bind(call);
      call.sendStatus = (status) => {
        seen.push([status.code, status.details]);
        sendStatus(status);
      };
      const start = call.start.bind(call);
      call.start = (listener) => {
        started();
        const { onCancel } = listener as { onCancel(): void };
        start(
          Object.assign(Object.create(listener as object), {
            onCancel() {
              seen.push(['cancelled', call.checkCancelled()]);
              onCancel.call(listener);
              cancelled();
            },
          }),
        );
      };
    };
    await withInterceptor(watch, async ({ port }) => {
      const unary = RawGrpcCall.start(port, '/test.Echo/Unary')
        .write(frame(Buffer.from([0xff])))
        .end();
      const first = new Promise<void>((resolve) => (cancelled = resolve));
      await unary.status();
      await first;
      const second = new Promise<void>((resolve) => (cancelled = resolve));
      const begun = new Promise<void>((resolve) => (started = resolve));
      const stream = RawGrpcCall.start(port, '/test.Echo/ServerStream')
        .write(frame(Buffer.alloc(0)))
        .end();
      await begun;
      await stream.vanish();
      await second;
      // A late status may follow.
      expect(seen.slice(0, 3)).toEqual([
        [13, 'Error deserializing request'],
        ['cancelled', true],
        ['cancelled', true],
      ]);
    });
  });
});
