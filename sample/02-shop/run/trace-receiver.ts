import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { spansOf, type OtlpJson } from './otlp-json.js';
import type { Span } from './span.js';

/** A small backend: it accepts spans by OTLP over HTTP in JSON, and stores them by trace. */
export class TraceReceiver {
  readonly #traces = new Map<string, Span[]>();
  readonly #listeners = new Set<(span: Span) => void>();
  readonly #server = createServer((request, response) => void this.#receive(request, response));

  static async start(): Promise<TraceReceiver> {
    const receiver = new TraceReceiver();
    await once(receiver.#server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get traceIds(): string[] {
    return [...this.#traces.keys()];
  }

  spansOf(traceId: string): readonly Span[] {
    return this.#traces.get(traceId) ?? [];
  }

  forget(traceId: string): void {
    this.#traces.delete(traceId);
  }

  /** Calls `listener` for each span that arrives. Returns a function that removes the listener. */
  onSpan(listener: (span: Span) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits until `isComplete` is true for the spans of a trace, or until the time has passed. */
  async until(traceId: string, isComplete: (spans: readonly Span[]) => boolean, milliseconds: number): Promise<void> {
    if (isComplete(this.spansOf(traceId))) return;
    await new Promise<void>((resolve) => {
      // Unreferenced, so that the timer does not keep the process alive.
      const timer = setTimeout(finish, milliseconds).unref();
      const stop = this.onSpan(() => {
        if (isComplete(this.spansOf(traceId))) finish();
      });
      function finish(): void {
        clearTimeout(timer);
        stop();
        resolve();
      }
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const spans = await readSpans(request);
    for (const span of spans ?? []) {
      const trace = this.#traces.get(span.traceId);
      if (trace) trace.push(span);
      else this.#traces.set(span.traceId, [span]);
    }
    response.writeHead(spans ? 200 : 400, { 'content-type': 'application/json' }).end('{}');
    for (const span of spans ?? []) for (const listener of this.#listeners) listener(span);
  }
}

/** Reads the spans of an export. Undefined if the body is malformed. */
async function readSpans(request: IncomingMessage): Promise<Span[] | undefined> {
  try {
    return spansOf((await json(request)) as OtlpJson);
  } catch {
    return undefined;
  }
}
