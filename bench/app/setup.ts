import type { DynamicModule, INestApplication, INestMicroservice, NestApplicationOptions, Type } from '@nestjs/common';
import type { Interceptor as ClientInterceptor, ServerInterceptor } from '@grpc/grpc-js';

export type Platform = 'express' | 'fastify';
export type App = INestApplication | INestMicroservice;

/** What the harness asks of a process, in the variable BENCH. */
export interface BenchOptions {
  /** The module of `setups/` to run with. */
  setup: string;
  app: 'http' | 'grpc-server' | 'grpc-client' | 'micro';
  platform: Platform;
  /** Where spans go: the base address of an OTLP receiver over HTTP. */
  endpoint: string;
  /** Whether spans go nowhere: they are made, and nobody exports them. */
  noExport?: boolean;
  /** Spans that may wait for export. */
  queue?: number;
  /** Fraction of traces kept. */
  ratio?: number;
  /** Whether only the server span is made, without handler and method. */
  serverSpanOnly?: boolean;
  metrics?: boolean;
  /** Which of OpenTelemetry's instrumentations a preload registers. */
  instrumentations?: 'framework' | 'fastify-classic' | 'fastify-hooks' | 'http' | 'grpc';
  enabled?: boolean;
  /** How often the handler calls the service. */
  methods?: number;
  protoPath?: string;
  /** The gRPC server that a client calls. */
  target?: string;
}

/** What a set-up adds to the application that all of them share. */
export interface Setup {
  /** Modules that are imported before all others. */
  imports?: (DynamicModule | Type)[];
  /** More of what `NestFactory.create()` takes. */
  applicationOptions?: NestApplicationOptions;
  /** Stands on the method of the service. */
  method?: MethodDecorator;
  /** Called when the application is made, and does not listen yet. */
  prepare?(app: App): void | Promise<void>;
  /** Exports what waits. */
  flush?(): Promise<void>;
  /** Single pieces of the library, for the micro benchmark. */
  pieces?(app: App): Record<string, () => unknown>;
  serverInterceptors?: ServerInterceptor[];
  clientInterceptors?: ClientInterceptor[];
}

export type SetupFactory = (options: BenchOptions) => Setup | Promise<Setup>;

/** What a running application can be asked for. */
export interface Running {
  port?: number;
  /** Makes calls for a while and returns how many were answered, and how many failed. */
  work?(order: WorkOrder): Promise<{ requests: number; failed: number }>;
  close(): Promise<void>;
}

export interface WorkOrder {
  milliseconds: number;
  concurrency: number;
  kind: string;
}
