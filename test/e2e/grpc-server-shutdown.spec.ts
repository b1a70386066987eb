import { describe, expect, it } from '@jest/globals';
import { Module, type INestApplication, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Transport, type MicroserviceOptions } from '@nestjs/microservices';
import { TracingModule } from 'nestjs-tracing';
import { firstValueFrom } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { grpcHosts, protoPath, type GrpcHost } from '../support/grpc-app.js';
import { frame, RawGrpcCall } from '../support/raw-grpc-call.js';
import { EchoController, reached, released } from '../support/scripted-echo.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { handler, rpcServer, traceTrees } from '../support/trace-tree.js';

/** An exporter that refuses spans after its shutdown, as exporters to a backend do. */
class ClosingRecorder extends TraceRecorder {
  closed = false;
  override export(...[spans, done]: Parameters<TraceRecorder['export']>): void {
    if (this.closed) throw new Error('exported after the shutdown');
    super.export(spans, done);
  }
  override async shutdown(): Promise<void> {
    this.closed = true;
  }
}

let port: number;

async function start(host: GrpcHost, exporter: TraceRecorder): Promise<INestApplication | INestMicroservice> {
  port = await freePort();
  @Module({ imports: [TracingModule.forRoot({ serviceName: 'test', exporter })], controllers: [EchoController] })
  class AppModule {}
  const transport: MicroserviceOptions = {
    transport: Transport.GRPC,
    options: { package: 'test', protoPath, url: `127.0.0.1:${port}` },
  };
  const quiet = { logger: false, abortOnError: false } as const;
  if (host === 'microservice') {
    const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, { ...transport, ...quiet });
    await app.listen();
    return app;
  }
  const app = await NestFactory.create(AppModule, quiet);
  app.connectMicroservice(transport, { inheritAppConfig: host === 'hybrid that inherits' });
  await app.startAllMicroservices();
  await app.init();
  return app;
}

async function open(method: string): Promise<void> {
  const waiting = firstValueFrom(reached);
  const call = RawGrpcCall.start(port, `/test.Echo/${method}`).write(frame(Buffer.alloc(0)));
  if (method === 'ServerStream') call.end();
  await waiting;
}

describe.each(grpcHosts)('closing a %s', (host) => {
  it('exports the calls that are open', async () => {
    const recorder = new ClosingRecorder();
    const app = await start(host, recorder);
    await open('ServerStream');
    await open('Bidi');
    await open('ClientStream');
    await app.close();
    const call = (method: string, name: string) =>
      rpcServer(`test.Echo/${method}`, 'CANCELLED', handler(`EchoController.${name}`));
    const trees = [call('ServerStream', 'serverStream'), call('Bidi', 'bidi'), call('ClientStream', 'clientStream')];
    const { actual, expected } = traceTrees(recorder.spans, trees);
    expect(actual).toEqual(expected);
    expect(recorder.closed).toBe(true);
    released.next();
  });
});
