/**
 * An application over RabbitMQ whose messages have to wait, beside OpenTelemetry's instrumentation: an answer for a new connection, and events
 * until the socket is drained. It writes its spans.
 */
import 'reflect-metadata';
import { once, type EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import type { Socket } from 'node:net';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  EventPattern,
  MessagePattern,
  Transport,
  type ClientProxy,
  type RmqOptions,
} from '@nestjs/microservices';
import { trace } from '@opentelemetry/api';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';
import { TracingModule } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';
import { MadeSpans } from './made-spans.js';

/** The members of the connection of `amqp-connection-manager` that are used here. */
interface Connection extends EventEmitter {
  readonly connection: { readonly connection: { readonly stream: Socket } };
}

const [url] = process.argv.slice(2).map((text) => JSON.parse(text) as string);
const require = createRequire(import.meta.url);
const { AmqplibInstrumentation } = require('@opentelemetry/instrumentation-amqplib') as Record<
  string,
  new () => Instrumentation
>;
registerInstrumentations({ instrumentations: [new AmqplibInstrumentation!()] });
// The instrumentation sees what is required after it.
require('amqplib');

const transport: RmqOptions = {
  transport: Transport.RMQ,
  options: {
    urls: [url!],
    queue: 'stock',
    queueOptions: { durable: false },
    socketOptions: { reconnectTimeInSeconds: 1 },
  },
};

const spans = new MadeSpans();

const EVENTS = 100;
const DATA = 'x'.repeat(100_000);
let received = 0;
let heard: () => void;
const isHeard = new Promise<void>((resolve) => (heard = resolve));

async function disconnect(connection: Connection): Promise<void> {
  const disconnected = once(connection, 'disconnect');
  connection.connection.connection.stream.destroy();
  await disconnected;
}

@Controller()
class StockController {
  @MessagePattern('stock.reserve')
  async reserve(item: string): Promise<string> {
    await disconnect(app.unwrap<Connection>());
    return `reserved ${item}`;
  }

  @EventPattern('stock.changed')
  changed(_data: unknown): void {
    if (++received === EVENTS) heard();
  }
}

@Module({
  imports: [TracingModule.forRoot({ exporter: spans }), ClientsModule.register([{ ...transport, name: 'CLIENT' }])],
  controllers: [StockController],
})
class AppModule {}

const app = await NestFactory.createMicroservice<RmqOptions>(AppModule, { ...transport, logger: false });
await app.listen();
const client = app.get<ClientProxy>('CLIENT');
await client.connect();
await trace.getTracer('app').startActiveSpan('request', async (span) => {
  await lastValueFrom(client.send('stock.reserve', 'tea'));
  for (let event = 0; event < EVENTS; event++) client.emit('stock.changed', DATA);
  await isHeard;
  span.end();
});
await client.close();
await app.close();
spans.write();
