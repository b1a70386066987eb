/** An application with a gateway, beside OpenTelemetry's instrumentation of Socket.IO. It writes its spans. */
import 'reflect-metadata';
import type { Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ConnectedSocket, SubscribeMessage, WebSocketGateway, type WsResponse } from '@nestjs/websockets';
import { registerInstrumentations, type Instrumentation } from '@opentelemetry/instrumentation';
import { TracingModule } from 'nestjs-tracing';
import { from, map, type Observable } from 'rxjs';
import type { Socket } from 'socket.io';
import { io } from 'socket.io-client';
import { MadeSpans } from './made-spans.js';

const require = createRequire(import.meta.url);
type Classes = Record<string, new () => Instrumentation>;
const { SocketIoInstrumentation } = require('@opentelemetry/instrumentation-socket.io') as Classes;
registerInstrumentations({ instrumentations: [new SocketIoInstrumentation!()] });
// The instrumentation sees what is required after it.
require('socket.io');

let left: () => void;
const hasLeft = new Promise<void>((resolve) => (left = resolve));

@WebSocketGateway()
class ChatGateway {
  async handleConnection(client: Socket): Promise<void> {
    await Promise.resolve();
    client.emit('welcome');
  }

  handleDisconnect(): void {
    left();
  }

  @SubscribeMessage('join')
  async join(@ConnectedSocket() client: Socket): Promise<WsResponse> {
    await new Promise((resolve) => setImmediate(resolve));
    client.emit('note', 1);
    return { event: 'joined', data: 1 };
  }

  @SubscribeMessage('count')
  count(): Observable<WsResponse> {
    return from([1, 2]).pipe(map((data) => ({ event: 'counted', data })));
  }
}

const spans = new MadeSpans();

@Module({ imports: [TracingModule.forRoot({ exporter: spans, http: false })], providers: [ChatGateway] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['error'] });
await app.listen(0);
const { port } = (app.getHttpServer() as Server).address() as AddressInfo;
const client = io(`http://127.0.0.1:${port}`, { transports: ['websocket'] });
const next = (event: string) => new Promise((resolve) => client.once(event, resolve));
await next('welcome');
client.emit('join', {});
await next('joined');
const isCounted = new Promise<void>((resolve) => client.on('counted', (value) => value === 2 && resolve()));
client.emit('count', {});
await isCounted;
client.close();
await hasLeft;
await app.close();
spans.write();
