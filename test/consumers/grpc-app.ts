/** A service that calls itself by gRPC. It checks its own traces, and fails if they are not as expected. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Interceptor } from '@grpc/grpc-js';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  GrpcMethod,
  Transport,
  type ClientGrpc,
  type GrpcOptions,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { grpcTracingInterceptor, Span, tracedGrpcOptions, TracingModule, TracingService } from 'nestjs-tracing';
import { lastValueFrom, of, toArray, type Observable } from 'rxjs';

const exporter = new InMemorySpanExporter();
// The types of grpc-js must accept it.
const interceptor: Interceptor = grpcTracingInterceptor({ messageEvents: true });
assert.equal(typeof interceptor, 'function');

interface User {
  id: string;
  traceId?: string | undefined;
}

interface Users {
  find(query: { id: string }): Observable<User>;
  all(query: object): Observable<User>;
}

@Controller()
class UsersController {
  constructor(private readonly tracing: TracingService) {}

  @GrpcMethod('Users', 'Find')
  @Span()
  async find({ id }: { id: string }): Promise<User> {
    return { id, traceId: this.tracing.traceId };
  }

  @GrpcMethod('Users', 'All')
  all(): Observable<User> {
    return of({ id: '1' }, { id: '2' });
  }
}

async function main(): Promise<void> {
  const url = `127.0.0.1:${await freePort()}`;
  const options: GrpcOptions['options'] = { package: 'users', protoPath: join(process.cwd(), 'users.proto'), url };

  @Module({
    imports: [
      TracingModule.forRoot({ serviceName: 'users', exporter }),
      ClientsModule.register([
        { name: 'FOUND', transport: Transport.GRPC, options },
        { name: 'WRAPPED', transport: Transport.GRPC, options: tracedGrpcOptions(options) },
      ]),
    ],
    controllers: [UsersController],
  })
  class AppModule {}

  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
    transport: Transport.GRPC,
    options,
    logger: ['error', 'warn'],
  });
  await app.listen();

  for (const name of ['FOUND', 'WRAPPED']) {
    exporter.reset();
    const users = app.get<ClientGrpc>(name).getService<Users>('Users');
    const { id, traceId } = await lastValueFrom(users.find({ id: '42' }));
    assert.equal(id, '42');
    check(await finishedSpans(app.get(TracingService)), 'users.Users/Find', 'UsersController.find', traceId);

    exporter.reset();
    assert.equal((await lastValueFrom(users.all({}).pipe(toArray()))).length, 2);
    check(await finishedSpans(app.get(TracingService)), 'users.Users/All', 'UsersController.all');
  }
  await app.close();
}

function check(spans: readonly ReadableSpan[], method: string, handlerName: string, traceId?: string): void {
  assert.deepEqual(spans.map((span) => span.name).sort(), [handlerName, method, method].sort());
  const [client, server, handler] = [SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL].map((kind) =>
    spans.find((span) => span.kind === kind),
  );
  assert.equal(client!.parentSpanContext, undefined);
  assert.equal(server!.parentSpanContext?.spanId, client!.spanContext().spanId);
  assert.equal(handler!.parentSpanContext?.spanId, server!.spanContext().spanId);
  if (traceId !== undefined) assert.equal(client!.spanContext().traceId, traceId);
  assert.equal(server!.attributes['rpc.status_code'], 'OK');
}

/** The server span ends a moment after the caller has its answer. */
async function finishedSpans(tracing: TracingService): Promise<readonly ReadableSpan[]> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    await tracing.flush();
    const spans = exporter.getFinishedSpans();
    if (spans.length >= 3 || Date.now() > deadline) return spans;
    await sleep(20);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
