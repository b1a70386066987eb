import { join } from 'node:path';
import { Module, type INestApplication, type INestMicroservice, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientProxyFactory,
  ClientsModule,
  Transport,
  type ClientGrpc,
  type GrpcOptions as NestGrpcOptions,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import type { Metadata, Server } from '@grpc/grpc-js';
import { TracingModule, type TracingOptions } from 'nestjs-tracing';
import type { Observable } from 'rxjs';
import { freePort } from './free-port.js';
import { TraceRecorder } from './trace-recorder.js';

export interface Message {
  text?: string;
  count?: number;
}

/** The client of `test.Echo`, as Nest makes it. */
export interface Echo {
  unary(message: Message, metadata?: Metadata, options?: object): Observable<Message>;
  serverStream(message: Message, metadata?: Metadata, options?: object): Observable<Message>;
  clientStream(messages: Observable<Message>, metadata?: Metadata, options?: object): Observable<Message>;
  bidi(messages: Observable<Message>, metadata?: Metadata, options?: object): Observable<Message>;
  missing(message: Message, metadata?: Metadata, options?: object): Observable<Message>;
}

export const protoPath = join(import.meta.dirname, 'echo.proto');

/** The ways to create a gRPC server. */
export type GrpcHost = 'microservice' | 'hybrid' | 'hybrid that inherits';

export const grpcHosts = [['microservice'], ['hybrid'], ['hybrid that inherits']] as const satisfies [GrpcHost][];

export interface GrpcAppOptions extends ModuleMetadata {
  host?: GrpcHost;
  /** False leaves TracingModule out. */
  tracing?: Omit<TracingOptions, 'exporter'> | false;
  /** More options of the server. */
  server?: Partial<NestGrpcOptions['options']>;
  /** More options of the client. */
  client?: Partial<NestGrpcOptions['options']>;
  /** Called between `create()` and `listen()`, where a main.ts would configure the application or the microservice. */
  prepare?: (app: INestApplication | INestMicroservice) => unknown;
}

/** An application that serves `test.Echo` on its own port and has a client for it, with the traces of both. */
export interface GrpcApp {
  readonly app: INestApplication | INestMicroservice;
  /** The address as `host:port`. */
  readonly address: string;
  readonly port: number;
  /** The client that the application has in DI. */
  readonly echo: Echo;
  /** Another client, which is not traced. */
  readonly plain: Echo;
  readonly traces: TraceRecorder;
  close(): Promise<void>;
}

export const ECHO_CLIENT = 'ECHO_CLIENT';

export async function startGrpcApp(options: GrpcAppOptions = {}): Promise<GrpcApp> {
  const { host = 'microservice', tracing = {}, server, client, prepare, ...metadata } = options;
  const traces = new TraceRecorder();
  const tracingModule =
    tracing === false
      ? []
      : [TracingModule.forRoot({ serviceName: 'test', ...tracing, exporter: traces, spanProcessors: [traces] })];
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const definition = { package: 'test', protoPath, url: address };
  @Module({
    ...metadata,
    imports: [
      ...tracingModule,
      ClientsModule.register([{ name: ECHO_CLIENT, transport: Transport.GRPC, options: { ...definition, ...client } }]),
      ...(metadata.imports ?? []),
    ],
  })
  class AppModule {}

  const transport: MicroserviceOptions = { transport: Transport.GRPC, options: { ...definition, ...server } };
  const app = await create(AppModule, host, transport, prepare);
  traces.reset();
  const plain = ClientProxyFactory.create({
    transport: Transport.GRPC,
    options: definition,
  });
  return {
    app,
    address,
    port,
    traces,
    echo: app.get<ClientGrpc>(ECHO_CLIENT).getService<Echo>('Echo'),
    plain: plain.getService<Echo>('Echo'),
    async close() {
      plain.close();
      await app.close();
    },
  };
}

async function create(
  module: new () => unknown,
  host: GrpcHost,
  transport: MicroserviceOptions,
  prepare: GrpcAppOptions['prepare'],
): Promise<INestApplication | INestMicroservice> {
  if (host === 'microservice') {
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(module, {
      ...transport,
      logger: false,
      abortOnError: false,
    });
    await prepare?.(app);
    await app.listen();
    return app;
  }
  const app = await NestFactory.create(module, { logger: false, abortOnError: false });
  app.connectMicroservice<MicroserviceOptions>(transport, { inheritAppConfig: host === 'hybrid that inherits' });
  await prepare?.(app);
  await app.startAllMicroservices();
  await app.listen(0, '127.0.0.1');
  return app;
}

/** The grpc-js server behind a Nest application, for operations that Nest does not offer. */
export function grpcServerOf(app: INestMicroservice): Server {
  return (app as unknown as { serverInstance: { grpcClient: Server } }).serverInstance.grpcClient;
}
