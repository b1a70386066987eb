import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { spansOf, type OtlpJson } from '../../../sample/02-shop/run/otlp-json.js';
import type { Span } from '../../../sample/02-shop/run/span.js';

/** A proxy between services and a collector. It forwards OTLP in JSON, and so knows the spans that were really sent. */
export class WireTap {
  /** The spans of each trace, by trace id. */
  readonly traces = new Map<string, Span[]>();
  readonly #server = createServer((request, response) => void this.#pass(request, response));

  private constructor(private readonly target: string) {}

  static async start(target: string): Promise<WireTap> {
    const tap = new WireTap(target);
    await once(tap.#server.listen(0, '127.0.0.1'), 'listening');
    return tap;
  }

  /** The value for `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const headers = { 'content-type': request.headers['content-type']! };
    const answer = await fetch(this.target + request.url, { method: 'POST', headers, body });
    // An exporter repeats an export that was refused.
    if (answer.ok) this.#keep(spansOf(JSON.parse(body) as OtlpJson));
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(await answer.text());
  }

  #keep(spans: readonly Span[]): void {
    for (const span of spans) {
      const trace = this.traces.get(span.traceId);
      if (trace) trace.push(span);
      else this.traces.set(span.traceId, [span]);
    }
  }
}
