import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeError, warn } from '../core/diagnostics.js';
import type { MetricsEndpoint } from './metrics-endpoint.js';

/** Time until a port that is taken is tried again, in milliseconds. */
const RETRY_DELAY = 5000;

export interface MetricsAddress {
  readonly port: number;
  readonly host: string | undefined;
  readonly path: string;
}

/** Serves metrics on a port of its own, beside the application and not in its way. */
export class MetricsServer {
  readonly #server: Server;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(
    private readonly address: MetricsAddress,
    private readonly endpoint: MetricsEndpoint,
  ) {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    // It is no reason for the process to live on.
    this.#server.unref();
  }

  /** Resolves when it listens, or cannot: then it says so, and tries again. Never rejects. */
  open(): Promise<void> {
    const { host, port } = this.address;
    return new Promise((resolve) => {
      const failed = (error: unknown) => {
        this.#server.off('listening', listening);
        const fix = 'Choose another metrics.port, if this one is not only another process on its way out.';
        const place = host === undefined ? `port ${port}` : `${host}:${port}`;
        warn(`metrics:${port}`, `Metrics cannot be served on ${place} (${describeError(error)}). ${fix}`);
        this.#retry = setTimeout(() => void this.open(), RETRY_DELAY).unref();
        resolve();
      };
      const listening = () => {
        this.#server.off('error', failed);
        this.#server.on('error', (error) => warn(`metrics:${port}`, `The metrics' server: ${describeError(error)}`));
        if (this.#closed) this.#server.close();
        resolve();
      };
      this.#server.once('error', failed);
      this.#server.once('listening', listening);
      this.#server.listen(port, host);
    });
  }

  /** Lets nothing wait: whoever is scraping now gets an end of the connection. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#retry);
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path] = (request.url ?? '').split('?');
    const { method } = request;
    if (path !== this.address.path) response.writeHead(404).end();
    else if (method !== 'GET' && method !== 'HEAD') response.writeHead(405, { allow: 'GET, HEAD' }).end();
    else await this.endpoint.serve(request, response);
  }
}
