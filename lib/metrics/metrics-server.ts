import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeError, warn } from '../core/diagnostics.js';
import type { MetricsEndpoint } from './metrics-endpoint.js';

/** The time between two attempts to listen on the port, in milliseconds. */
const RETRY_DELAY = 5000;

export interface MetricsAddress {
  readonly port: number;
  readonly host: string | undefined;
  readonly path: string;
}

/** Serves metrics on a port of its own, independent of the application's server. */
export class MetricsServer {
  readonly #server: Server;
  #retryTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly address: MetricsAddress,
    private readonly endpoint: MetricsEndpoint,
  ) {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    // An open port for metrics must not keep the process alive.
    this.#server.unref();
  }

  /** Resolves when the server listens, or has failed to. After a failure it warns, and tries again later. Never rejects. */
  open(): Promise<void> {
    const { host, port } = this.address;
    return new Promise((resolve) => {
      const onError = (error: unknown) => {
        this.#server.off('listening', onListening);
        const fix = 'Choose another metrics.port, unless the process that uses this one is about to exit.';
        const place = host === undefined ? `port ${port}` : `${host}:${port}`;
        warn(`metrics:${port}`, `Metrics cannot be served on ${place} (${describeError(error)}). ${fix}`);
        this.#retryTimer = setTimeout(() => void this.open(), RETRY_DELAY).unref();
        resolve();
      };
      const onListening = () => {
        this.#server.off('error', onError);
        this.#server.on('error', (error) =>
          warn(`metrics:${port}`, `The server for metrics failed: ${describeError(error)}`),
        );
        if (this.#isClosed) this.#server.close();
        resolve();
      };
      this.#server.once('error', onError);
      this.#server.once('listening', onListening);
      this.#server.listen(port, host);
    });
  }

  /** Closes the server and all its connections at once: a scrape in progress must not delay the shutdown. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#retryTimer);
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
