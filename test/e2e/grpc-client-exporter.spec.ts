import { expect, it } from '@jest/globals';
import { Server, ServerCredentials, type Metadata, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { Module } from '@nestjs/common';
import { TracingModule, TracingService } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';
import { ClientsModule, Transport, type ClientGrpc } from '@nestjs/microservices';
import { EchoServer } from '../support/echo-server.js';
import type { Echo } from '../support/grpc-app.js';
import { echoOptions } from '../support/grpc-client-app.js';
import { startContext } from '../support/nest.js';

it('the exporter’s own calls are not traced, and carry no trace context', async () => {
  const exports: { metadata: Metadata; body: string }[] = [];
  const bytes = (it: Buffer) => it;
  const receiver = new Server();
  receiver.addService(
    {
      export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
      },
    },
    {
      export(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
        exports.push({ metadata: call.metadata, body: call.request.toString('latin1') });
        answer(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) => {
    receiver.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, it) =>
      error ? reject(error) : resolve(it),
    );
  });
  const echo = await EchoServer.start();
  const exporter = { type: 'otlp', protocol: 'grpc', endpoint: `http://127.0.0.1:${port}` } as const;
  @Module({
    imports: [
      TracingModule.forRoot({ serviceName: 'test', exporter }),
      ClientsModule.register([{ name: 'ECHO', transport: Transport.GRPC, options: echoOptions(echo.address) }]),
    ],
  })
  class AppModule {}
  const app = await startContext(AppModule);
  const service = app.get<ClientGrpc>('ECHO').getService<Echo>('Echo');
  const tracing = app.get(TracingService);
  for (let round = 0; round < 3; round++) {
    await tracing.span('work', async () => {
      await lastValueFrom(service.unary({}));
      await tracing.flush();
    });
  }
  await app.close();
  expect(exports.length).toBeGreaterThanOrEqual(3);
  for (const { metadata, body } of exports) {
    expect(metadata.get('traceparent')).toEqual([]);
    expect(body).not.toContain('TraceService/Export');
  }
  expect(exports.some(({ body }) => body.includes('test.Echo/Unary'))).toBe(true);
  echo.die();
  receiver.forceShutdown();
});
