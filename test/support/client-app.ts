import { Controller, Get, Param, type ModuleMetadata } from '@nestjs/common';
import type { HttpClientOptions, TracingOptions } from 'nestjs-tracing';
import { expect } from '@jest/globals';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { httpOptions, withHttpApp, type HttpApp } from './http-app.js';
import { HttpTarget, type TargetRequest } from './http-target.js';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { handler, server, type ExpectedSpan } from './trace-tree.js';

/** True if this Node announces requests of `node:http` in time to add headers: Node 20 does not. */
export const nodePropagates = Number.parseInt(process.versions.node, 10) >= 22;

const works = new Map<string, () => unknown>();
let count = 0;

@Controller()
class WorkController {
  @Get('work/:id')
  async work(@Param('id') id: string): Promise<string> {
    await works.get(id)!();
    return id;
  }
}

export interface ClientAppOptions extends ModuleMetadata {
  client?: HttpClientOptions | false;
  tracing?: Omit<TracingOptions, 'exporter'> | false;
}

/** An application whose handler does what a test gives it, and a server that it may send requests to. */
export interface ClientApp extends HttpApp {
  readonly target: HttpTarget;
  /** Calls `work` in the handler of a request. Returns its result, or throws its exception. */
  run<T>(work: () => T | Promise<T>): Promise<T>;
}

export async function withClientApp(
  { client = {}, tracing = {}, ...metadata }: ClientAppOptions,
  use: (app: ClientApp) => Promise<void>,
): Promise<void> {
  const target = await HttpTarget.start();
  const options = tracing && { ...tracing, http: { ...httpOptions(tracing), client } };
  try {
    await withHttpApp('Express', { tracing: options, controllers: [WorkController], ...metadata }, (http) =>
      use({ ...http, target, run: (work) => runIn(http, work) }),
    );
  } finally {
    await target.stop();
  }
}

/** @param throwsOn true if the handler throws what `work` throws. @default false */
export async function runIn<T>(http: HttpApp, work: () => T | Promise<T>, throwsOn = false): Promise<T> {
  const id = String(++count);
  const done = new Promise<T>((resolve, reject) => {
    works.set(id, async () => {
      try {
        resolve(await work());
      } catch (error) {
        reject(error);
        if (throwsOn) throw error;
      }
    });
  });
  const answer = http.request(`/work/${id}`);
  try {
    // The answer waits for the work, so that a test that fails leaves nothing behind.
    const [result] = await Promise.allSettled([done, answer]);
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  } finally {
    works.delete(id);
  }
}

export { WorkController };

/** The trace of one run, down to the requests that were sent. */
export function runOf(...children: ExpectedSpan[]): ExpectedSpan {
  return server('GET /work/:id', 200, handler('WorkController.work', ...children));
}

/** The span of an outgoing request. Without a status code, no answer arrived. */
export function client(
  method: string,
  code: number | undefined,
  details: Omit<ExpectedSpan, 'name'> = {},
): ExpectedSpan {
  const failed = code !== undefined && code >= 400;
  return {
    name: method,
    kind: 'CLIENT',
    status: failed ? 'ERROR' : 'UNSET',
    ...details,
    attributes: {
      'http.request.method': method,
      'http.response.status_code': code,
      'error.type': failed ? String(code) : undefined,
      ...details.attributes,
    },
  };
}

/** An outgoing request that its caller aborted. */
export function cancelled(method: string, code?: number): ExpectedSpan {
  return client(method, code, { events: ['request cancelled'] });
}

/** An outgoing request that failed before its answer was complete. */
export function broken(method: string, code: number | undefined, type: string, exception: string): ExpectedSpan {
  return client(method, code, {
    status: `ERROR: ${exception.split(': ').slice(1).join(': ')}`,
    attributes: { 'error.type': type },
    events: [`exception ${exception}`],
  });
}

/** The client spans among the exported spans, oldest first. */
export function clientSpans(spans: readonly ReadableSpan[]): ReadableSpan[] {
  return spans
    .filter((span) => span.kind === SpanKind.CLIENT)
    .toSorted((a, b) => a.startTime[0] - b.startTime[0] || a.startTime[1] - b.startTime[1]);
}

/** Checks that a request carried the context of this span, once. */
export function expectCarried({ headers, rawHeaders }: TargetRequest, span: ReadableSpan | undefined): void {
  const { spanId, traceId } = span!.spanContext();
  expect(headers.traceparent).toMatch(new RegExp(`^00-${traceId}-${spanId}-[0-9a-f]{2}$`));
  expect(rawHeaders.filter((name) => name.toLowerCase() === 'traceparent')).toHaveLength(1);
}

/** Checks that a request carried no trace context. */
export function expectBare({ headers }: TargetRequest): void {
  expect([headers.traceparent, headers.tracestate, headers.baggage]).toEqual([undefined, undefined, undefined]);
}

/** Finds a port on which no server listens. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
