import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { spansOf, type OtlpJson } from './otlp-json.js';
import type { Span } from './span.js';

/** A backend in small: takes spans by OTLP over HTTP, in JSON, and keeps them by trace. */
export class TraceReceiver {
  readonly #traces = new Map<string, Span[]>();
  readonly #listeners = new Set<(span: Span) => void>();
  readonly #server = createServer((request, response) => void this.#take(request, response));

  static async start(): Promise<TraceReceiver> {
    const receiver = new TraceReceiver();
    await once(receiver.#server.listen(0, '127.0.0.1'), 'listening');
    return receiver;
  }

  /** What `OTEL_EXPORTER_OTLP_ENDPOINT` is to say. */
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

  /** Calls `listener` for each span that arrives; returns how to stop it. */
  onSpan(listener: (span: Span) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits until the spans of a trace are as wanted, or the time is over. */
  async until(traceId: string, wanted: (spans: readonly Span[]) => boolean, milliseconds: number): Promise<void> {
    if (wanted(this.spansOf(traceId))) return;
    await new Promise<void>((resolve) => {
      // Unreferenced: when all else has ended there is nothing left to wait for.
      const timer = setTimeout(finish, milliseconds).unref();
      const stop = this.onSpan(() => {
        if (wanted(this.spansOf(traceId))) finish();
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

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const spans = await received(request);
    for (const span of spans ?? []) {
      const trace = this.#traces.get(span.traceId);
      if (trace) trace.push(span);
      else this.#traces.set(span.traceId, [span]);
    }
    response.writeHead(spans ? 200 : 400, { 'content-type': 'application/json' }).end('{}');
    for (const span of spans ?? []) for (const listener of this.#listeners) listener(span);
  }
}

/** The spans of an export; undefined if it is none. */
async function received(request: IncomingMessage): Promise<Span[] | undefined> {
  try {
    return spansOf((await json(request)) as OtlpJson);
  } catch {
    return undefined;
  }
}
