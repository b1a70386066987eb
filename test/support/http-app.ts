import {
  Module,
  type INestApplication,
  type LoggerService,
  type ModuleMetadata,
  type NestApplicationOptions,
} from '@nestjs/common';
import { NestFactory, type AbstractHttpAdapter } from '@nestjs/core';
import { context } from '@opentelemetry/api';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TracingModule, type HttpOptions, type TracingOptions } from 'nestjs-tracing';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { suppressTracing } from '../../lib/core/suppression.js';
import { TraceRecorder } from './trace-recorder.js';

export type Platform = 'Express' | 'Fastify';

export const httpPlatforms = [['Express'], ['Fastify']] as const satisfies [Platform][];

export interface HttpAppOptions extends ModuleMetadata {
  /** False leaves TracingModule out. The test's own requests come from the same process: they are traced only if a test asks. */
  tracing?: Omit<TracingOptions, 'exporter'> | false;
  adapter?: () => AbstractHttpAdapter;
  nest?: NestApplicationOptions;
  /** Called between `create()` and `listen()`, where a main.ts would configure the application. */
  prepare?: (app: INestApplication) => unknown;
  logger?: LoggerService;
}

/** An application that listens on its own port, and its traces. */
export interface HttpApp {
  readonly app: INestApplication;
  readonly port: number;
  readonly url: string;
  readonly traces: TraceRecorder;
  /** Sends a request and reads the answer to its end. */
  request(path: string, init?: RequestInit): Promise<{ status: number; body: string; headers: Headers }>;
  close(): Promise<void>;
}

export function createAdapter(platform: Platform): AbstractHttpAdapter {
  return platform === 'Express' ? new ExpressAdapter() : new FastifyAdapter();
}

export async function startHttpApp(platform: Platform, options: HttpAppOptions = {}): Promise<HttpApp> {
  const { tracing = {}, adapter, nest, prepare, logger, ...metadata } = options;
  const traces = new TraceRecorder();
  const tracingModule = tracing === false ? [] : [TracingModule.forRoot(tracingOptions(tracing, traces))];
  @Module({ ...metadata, imports: [...tracingModule, ...(metadata.imports ?? [])] })
  class AppModule {}

  const app = await NestFactory.create(AppModule, adapter?.() ?? createAdapter(platform), {
    logger: logger ?? false,
    abortOnError: false,
    ...nest,
  });
  await prepare?.(app);
  await app.listen(0, '127.0.0.1');
  traces.reset();
  const { port } = app.getHttpServer().address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  return {
    app,
    port,
    url,
    traces,
    async request(path, init) {
      const response = await untraced(() => fetch(url + path, { redirect: 'manual', ...init }));
      return { status: response.status, body: await response.text(), headers: response.headers };
    },
    async close() {
      // A failed test may have left a request unanswered, and Nest would wait for it.
      (app.getHttpServer() as Partial<Server>).closeAllConnections?.();
      await app.close();
    },
  };
}

function tracingOptions(given: Omit<TracingOptions, 'exporter'>, exporter: TraceRecorder): TracingOptions {
  return {
    serviceName: 'test',
    ...given,
    http: given.http === false ? false : { client: false, ...httpOptions(given) },
    exporter,
    spanProcessors: [exporter],
  };
}

/** Returns the options for HTTP, which may be switched on without any. */
export function httpOptions({ http }: Pick<TracingOptions, 'http'>): HttpOptions {
  return typeof http === 'object' ? http : {};
}

/** Calls `work` as a client outside of the application would: without a span and without a trace context. */
export function untraced<T>(work: () => T): T {
  return context.with(suppressTracing(context.active()), work);
}

/** Starts an application for `use`, and closes it even if `use` throws. */
export async function withHttpApp(
  platform: Platform,
  options: HttpAppOptions,
  use: (http: HttpApp) => Promise<void>,
): Promise<void> {
  const http = await startHttpApp(platform, options);
  try {
    await use(http);
  } finally {
    await http.close();
  }
}
