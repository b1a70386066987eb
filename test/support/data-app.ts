import type { LoggerService, ModuleMetadata } from '@nestjs/common';
import { context } from '@opentelemetry/api';
import type { TracingOptions } from 'nestjs-tracing';
import { runIn, WorkController } from './client-app.js';
import { withHttpApp, type HttpApp } from './http-app.js';
import { handler, server, type ExpectedSpan } from './trace-tree.js';

/** An application whose handler does what a test gives it. */
export interface DataApp extends HttpApp {
  /** Calls `work` in the handler of a request. Returns its result, or throws its exception. */
  run<T>(work: () => T | Promise<T>): Promise<T>;
  /** Calls `work` in the handler of a request, which throws its exception. */
  runThrowing(work: () => unknown): Promise<unknown>;
}

export interface DataAppOptions extends ModuleMetadata {
  logger?: LoggerService;
  tracing?: Omit<TracingOptions, 'exporter'> | false;
}

export async function withDataApp(
  { tracing = {}, ...metadata }: DataAppOptions,
  use: (app: DataApp) => Promise<void>,
): Promise<void> {
  await withHttpApp('Express', { tracing, controllers: [WorkController], ...metadata }, (http) =>
    use({
      ...http,
      run: (work) => runIn(http, work),
      runThrowing: (work) => runIn(http, work, true),
    }),
  );
}

/** The trace of one run, down to its queries. */
export function runOf(...children: ExpectedSpan[]): ExpectedSpan {
  return server('GET /work/:id', 200, handler('WorkController.work', ...children));
}

/** The span of a query. */
export function query(
  name: string,
  attributes: Record<string, unknown>,
  details: Partial<ExpectedSpan> = {},
): ExpectedSpan {
  return { name, kind: 'CLIENT', ...details, attributes };
}

/** Calls `work` in no context, as a timer of the process would. */
export function outside<T>(work: () => T): T {
  return context.with({} as never, work);
}
