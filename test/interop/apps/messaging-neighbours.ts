/** An application that sends messages to itself, beside OpenTelemetry's instrumentations of the drivers. It writes its spans. */
import 'reflect-metadata';
import { createRequire } from 'node:module';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  ClientsModule,
  EventPattern,
  MessagePattern,
  type ClientKafka,
  type ClientProxy,
  type TcpClientOptions,
  type TcpOptions,
} from '@nestjs/microservices';
import { trace } from '@opentelemetry/api';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';
import { TracingModule } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';
import { MadeSpans } from './made-spans.js';

/** The transport of the server and the client, and options of the client alone. */
const [transport, clientOptions] = process.argv.slice(2).map((text) => JSON.parse(text) as TcpClientOptions);
const require = createRequire(import.meta.url);
type Classes = Record<string, new () => Instrumentation>;
const { AmqplibInstrumentation } = require('@opentelemetry/instrumentation-amqplib') as Classes;
const { KafkaJsInstrumentation } = require('@opentelemetry/instrumentation-kafkajs') as Classes;
registerInstrumentations({ instrumentations: [new AmqplibInstrumentation!(), new KafkaJsInstrumentation!()] });
// The instrumentations see what is required after them.
require('amqplib');
require('kafkajs');

let heard: () => void;
const isHeard = new Promise<void>((resolve) => (heard = resolve));

@Controller()
class StockController {
  @MessagePattern('stock.reserve')
  async reserve(item: string): Promise<string> {
    // The driver's own callback has returned when this goes on.
    await new Promise((resolve) => setImmediate(resolve));
    return `reserved ${item}`;
  }

  @EventPattern('stock.changed')
  async changed(_data: unknown): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    heard();
  }
}

const spans = new MadeSpans();

@Module({
  imports: [
    TracingModule.forRoot({ exporter: spans }),
    ClientsModule.register([{ ...transport!, name: 'CLIENT', options: { ...transport!.options, ...clientOptions } }]),
  ],
  controllers: [StockController],
})
class AppModule {}

const server = transport as unknown as TcpOptions;
const app = await NestFactory.createMicroservice(AppModule, { ...server, logger: ['error'] });
await app.listen();
const client = app.get<ClientProxy>('CLIENT');
if ('subscribeToResponseOf' in client) (client as unknown as ClientKafka).subscribeToResponseOf('stock.reserve');
await client.connect();
await trace.getTracer('app').startActiveSpan('request', async (span) => {
  await lastValueFrom(client.send('stock.reserve', 'tea'));
  await lastValueFrom(client.emit('stock.changed', { item: 'tea' }), { defaultValue: undefined });
  await isHeard;
  span.end();
});
await client.close();
await app.close();
spans.write();
