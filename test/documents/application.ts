/**
 * The names that a fragment in README.md or in docs/ may use without importing them. A fragment is a block of TypeScript without imports; see
 * scripts/documents/check-types.mjs. A name of a package is exported again, and a name of the application in the examples is declared.
 */
import type { CanActivate, DynamicModule } from '@nestjs/common';
import type { Observable } from 'rxjs';
import type { ReadableSpan, Sampler, SpanExporter, TracingOptions, TracingOptionsFactory } from 'nestjs-tracing';
import type { SpanProcessor } from '@opentelemetry/sdk-trace';

export * from 'nestjs-tracing';
export {
  ConsoleLogger,
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  Param,
  ParseIntPipe,
  SetMetadata,
} from '@nestjs/common';
export type { OnModuleInit } from '@nestjs/common';
export { ConfigModule, ConfigService, registerAs } from '@nestjs/config';
export { NestFactory } from '@nestjs/core';
export { BaseRpcContext, ClientProxy, ClientProxyFactory, GrpcMethod, Transport } from '@nestjs/microservices';
export type { ClientGrpc, ReadPacket } from '@nestjs/microservices';
export { SchedulerRegistry } from '@nestjs/schedule';
export { credentials } from '@grpc/grpc-js';
export { context, propagation, SpanKind, trace } from '@opentelemetry/api';
export type { SpanContext } from '@opentelemetry/api';
export { B3Propagator } from '@opentelemetry/propagator-b3';
export { CompositePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
export { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
export { NodeSDK } from '@opentelemetry/sdk-node';
export { ParentBasedSampler, TraceIdRatioBasedSampler } from '@opentelemetry/sdk-trace';
export { getNodeAutoInstrumentations } from '@opentelemetry/auto-instrumentations-node';
export { LoggerModule } from 'nestjs-pino';
export { got } from 'got';
export { register } from 'prom-client';
export { firstValueFrom } from 'rxjs';
export { default as winston } from 'winston';

/** Secrets, addresses and files, which an application reads from its configuration. */
export declare const key: string;
export declare const username: string;
export declare const password: string;
export declare const url: string;
export declare const protoPath: string;

export interface Order {
  readonly id: string;
  readonly total: number;
  readonly channel: string;
}
export interface NewOrder {
  readonly items: readonly Item[];
}
export interface Item {
  readonly sku: string;
}
export interface Reservation {
  readonly id: string;
}
export interface Card {
  readonly type: string;
}

export declare const INVENTORY_CLIENT: unique symbol;
export interface Inventory {
  reserve(request: { items: readonly Item[] }): Observable<Reservation>;
}

export declare const AppModule: new () => object;
export declare class OrdersService {
  place(order: NewOrder): Promise<Order>;
}
export declare class PaymentsService {
  charge(order: Order): Promise<void>;
}
export declare class Printer {
  poll(): Promise<void>;
}
/** The client that grpc-js generates from a definition. */
export declare const OrdersClient: new (
  url: string,
  credentials: object,
  options: { interceptors: readonly unknown[] },
) => object;
export declare const tracing: import('nestjs-tracing').TracingService;

export declare class TracingConfig implements TracingOptionsFactory {
  createTracingOptions(): TracingOptions;
}
export declare const ConfigurationModule: DynamicModule;

export declare class MyExporter implements SpanExporter {
  export(spans: ReadableSpan[], done: (result: { code: number }) => void): void;
  shutdown(): Promise<void>;
}
export declare const MySampler: new () => Sampler;
export declare const RedactingProcessor: new () => SpanProcessor;
export declare class MetricsGuard implements CanActivate {
  canActivate(): boolean;
}

export declare const socket: { emit(event: string, data: object): void; send(text: string): void };
export interface Envelope {
  readonly headers: object;
}

export type Callback = (answer: object) => void;
/** Sends a letter. Returns the function that takes it back. */
export declare function post(letter: string, callback?: Callback): () => void;

/** The store of a request, as `nestjs-cls` has it. */
export declare class ClsService {
  get<T>(key: string): T;
}

/** A message of a queue that the library does not know, and what an application does with it. */
export declare const message: { readonly headers: Readonly<Record<string, string>>; readonly body: string };
export declare const batch: readonly Item[];
export declare function importOrder(body: string): Promise<Order>;
export declare function reserve(item: Item): Promise<Reservation>;
