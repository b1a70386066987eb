import { Logger, Module, type INestApplicationContext, type LoggerService, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { TraceRecorder } from './trace-recorder.js';

export interface ContextOptions extends ModuleMetadata {
  /** False leaves TracingModule out. */
  tracing?: Omit<TracingOptions, 'exporter'> | false;
  logger?: LoggerService;
}

/** An application without a server, and its traces. */
export interface TracedContext {
  readonly app: INestApplicationContext;
  readonly traces: TraceRecorder;
  /** Calls a function in a span, which is the root of its trace. Without tracing, it calls the function. */
  inSpan<T>(name: string, fn: () => T): T;
  close(): Promise<void>;
}

export async function startTracedContext(options: ContextOptions): Promise<TracedContext> {
  const { logger = false, tracing = {}, ...metadata } = options;
  const traces = new TraceRecorder();
  const tracingModule =
    tracing === false
      ? []
      : [TracingModule.forRoot({ serviceName: 'test', ...tracing, exporter: traces, spanProcessors: [traces] })];
  @Module({ ...metadata, imports: [...tracingModule, ...(metadata.imports ?? [])] })
  class AppModule {}

  const app = await NestFactory.createApplicationContext(AppModule, { logger, abortOnError: false });
  traces.reset();
  return {
    app,
    traces,
    inSpan: (name, fn) => (tracing === false ? fn() : app.get(TracingService).span(name, fn)),
    async close() {
      await app.close();
      Logger.overrideLogger(false);
    },
  };
}

/** A logger that collects errors. */
export class Errors implements LoggerService {
  readonly messages: string[] = [];
  log(): void {}
  warn(): void {}
  error(message: unknown): void {
    this.messages.push(String(message));
  }
}
