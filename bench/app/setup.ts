import type { DynamicModule, INestApplication, INestMicroservice, NestApplicationOptions, Type } from '@nestjs/common';
import type { Interceptor as ClientInterceptor, ServerInterceptor } from '@grpc/grpc-js';

export type Platform = 'express' | 'fastify';
export type App = INestApplication | INestMicroservice;

/** The options that the harness passes to a process in the variable BENCH. */
export interface BenchOptions {
  /** The name of a module in `setups/`. */
  setup: string;
  app: 'http' | 'grpc-server' | 'grpc-client' | 'micro' | 'data';
  platform: Platform;
  /** The base URL of the OTLP receiver for spans, over HTTP. */
  endpoint: string;
  /** True if spans are made but not exported. */
  noExport?: boolean;
  /** The number of spans that may wait for export. */
  queue?: number;
  /** The share of traces that are kept. */
  ratio?: number;
  /** The option `sampler.keep`. */
  keep?: { errors: boolean; slowerThan: number };
  /** True if only the server span is made, and none for handler and method. */
  serverSpanOnly?: boolean;
  metrics?: boolean;
  /** The OpenTelemetry instrumentations that a preload registers. */
  instrumentations?: 'framework' | 'fastify-classic' | 'fastify-hooks' | 'http' | 'grpc';
  enabled?: boolean;
  /** How many times the handler calls the service. */
  methods?: number;
  protoPath?: string;
  /** The gRPC server that a client calls. */
  target?: string;
  /** The ports of the databases. */
  databases?: { readonly postgres: number; readonly mysql: number; readonly redis: number };
}

/** The additions of a set-up to the shared application. */
export interface Setup {
  /** Modules that are imported before all others. */
  imports?: (DynamicModule | Type)[];
  /** More options for `NestFactory.create()`. */
  applicationOptions?: NestApplicationOptions;
  /** Decorates the method of the service. */
  method?: MethodDecorator;
  /** Called when the application is created, before it listens. */
  prepare?(app: App): void | Promise<void>;
  /** Exports the waiting spans. */
  flush?(): Promise<void>;
  /** Single functions of the library, for the micro benchmark. */
  pieces?(app: App): Record<string, () => unknown>;
  serverInterceptors?: ServerInterceptor[];
  clientInterceptors?: ClientInterceptor[];
}

export type SetupFactory = (options: BenchOptions) => Setup | Promise<Setup>;

/** A running application. */
export interface Running {
  port?: number;
  /** Makes calls for a while. Returns how many were made, and how many have failed. */
  work?(order: WorkOrder): Promise<{ requests: number; failed: number }>;
  close(): Promise<void>;
}

export interface WorkOrder {
  milliseconds: number;
  concurrency: number;
  kind: string;
}
