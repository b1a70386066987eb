import { Module, type INestApplicationContext, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule, Transport, type ClientGrpc, type GrpcOptions as NestGrpcOptions } from '@nestjs/microservices';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { EchoServer } from './echo-server.js';
import { ECHO_CLIENT, protoPath, type Echo } from './grpc-app.js';
import { Warnings } from './nest.js';
import { TraceRecorder } from './trace-recorder.js';
import type { ExpectedSpan } from './trace-tree.js';

type GrpcClientOptions = NestGrpcOptions['options'];

export interface GrpcClientAppOptions extends ModuleMetadata {
  /** False leaves TracingModule out. */
  tracing?: Omit<TracingOptions, 'exporter'> | false;
  /** More options of the client, or a function that returns all options. */
  client?: Partial<GrpcClientOptions>;
  server?: EchoServer;
}

/** An application that has a client of `test.Echo` in DI, for a server that is not traced. */
export interface GrpcClientApp {
  readonly app: INestApplicationContext;
  readonly server: EchoServer;
  readonly echo: Echo;
  readonly traces: TraceRecorder;
  readonly warnings: Warnings;
  /** Runs `work` in a span named `caller`. */
  caller<T>(work: () => T, name?: string): T;
  close(): Promise<void>;
}

/** The options of a Nest client for this address. */
export function echoOptions(url: string, more: Partial<GrpcClientOptions> = {}): GrpcClientOptions {
  return { package: 'test', protoPath, url, ...more };
}

export async function startGrpcClientApp(options: GrpcClientAppOptions = {}): Promise<GrpcClientApp> {
  const { tracing = {}, client, server = await EchoServer.start(), ...metadata } = options;
  const traces = new TraceRecorder();
  const warnings = new Warnings();
  @Module({
    ...metadata,
    imports: [
      ...(tracing
        ? [TracingModule.forRoot({ serviceName: 'test', ...tracing, exporter: traces, spanProcessors: [traces] })]
        : []),
      ClientsModule.register([
        { name: ECHO_CLIENT, transport: Transport.GRPC, options: echoOptions(server.address, client) },
      ]),
      ...(metadata.imports ?? []),
    ],
  })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger: warnings, abortOnError: false });
  traces.reset();
  const close = async () => {
    app.get<ClientGrpc & { close(): void }>(ECHO_CLIENT).close();
    await app.close();
    server.die();
  };
  try {
    const echo = app.get<ClientGrpc>(ECHO_CLIENT).getService<Echo>('Echo');
    const caller = <T>(work: () => T, name = 'caller') => app.get(TracingService).span(name, work);
    return { app, server, traces, warnings, echo, caller, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The span of a call: its name without the service, and its outcome. */
export function call(method: string, code = 'OK', details?: string, more: Partial<ExpectedSpan> = {}): ExpectedSpan {
  const failed = code !== 'OK';
  return {
    name: `test.Echo/${method}`,
    kind: 'CLIENT',
    status: failed ? `ERROR${details ? `: ${details}` : ''}` : 'UNSET',
    ...more,
    attributes: {
      'rpc.system.name': 'grpc',
      'rpc.method': `test.Echo/${method}`,
      'rpc.status_code': code,
      'error.type': failed ? code : undefined,
      ...more.attributes,
    },
  };
}
