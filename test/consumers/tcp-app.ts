/** A service that sends itself messages over TCP. It checks its own traces, and fails if they are not as expected. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  EventPattern,
  MessagePattern,
  Transport,
  type ClientProxy,
  type MicroserviceOptions,
} from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { TracingModule, TracingService } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';

const exporter = new InMemorySpanExporter();

@Controller()
class StockController {
  constructor(private readonly tracing: TracingService) {}

  @MessagePattern('stock.reserve')
  async reserve({ item }: { item: string }): Promise<object> {
    return { item, traceId: this.tracing.traceId };
  }

  @EventPattern('stock.changed')
  changed(_change: object): void {}
}

async function main(): Promise<void> {
  const options = { host: '127.0.0.1', port: await freePort() };

  @Module({
    imports: [
      TracingModule.forRoot({ serviceName: 'stock', exporter }),
      ClientsModule.register([{ name: 'STOCK', transport: Transport.TCP, options }]),
    ],
    controllers: [StockController],
  })
  class AppModule {}

  const app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
    transport: Transport.TCP,
    options,
    logger: ['error', 'warn'],
  });
  await app.listen();
  const client = app.get<ClientProxy>('STOCK');
  const tracing = app.get(TracingService);

  const answer = await lastValueFrom(client.send('stock.reserve', { item: 'tea' }));
  const request = await finishedSpans(tracing);
  const [sent, served, handler] = [SpanKind.CLIENT, SpanKind.SERVER, SpanKind.INTERNAL].map((kind) =>
    request.find((span) => span.kind === kind),
  );
  assert.deepEqual(request.map((span) => span.name).sort(), [
    'StockController.reserve',
    'stock.reserve',
    'stock.reserve',
  ]);
  assert.equal(served!.parentSpanContext?.spanId, sent!.spanContext().spanId);
  assert.equal(handler!.parentSpanContext?.spanId, served!.spanContext().spanId);
  assert.deepEqual(answer, { item: 'tea', traceId: sent!.spanContext().traceId });

  exporter.reset();
  client.emit('stock.changed', { item: 'tea' });
  const event = await finishedSpans(tracing);
  const producer = event.find((span) => span.kind === SpanKind.PRODUCER);
  const consumer = event.find((span) => span.kind === SpanKind.CONSUMER);
  assert.equal(producer!.name, 'send stock.changed');
  assert.equal(consumer!.name, 'process stock.changed');
  assert.equal(consumer!.links[0]?.context.spanId, producer!.spanContext().spanId);

  await client.close();
  await app.close();
}

/** The span of the handler may end a moment after the caller has its answer. */
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
