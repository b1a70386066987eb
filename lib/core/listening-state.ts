import { errorMonitor } from 'node:events';

/** An HTTP server, as far as its listening goes. */
interface ListeningServer {
  readonly listening: boolean;
  on(event: string | symbol, listener: () => void): unknown;
}

/** A transport of Nest's microservices. */
interface Transport {
  listen(callback?: (error?: unknown, ...results: unknown[]) => unknown, ...rest: unknown[]): unknown;
}

/**
 * Whether the servers of an application can listen. An application is down where a server has failed to, because its port is
 * taken say, and none listens. It is up before any has tried: tests, and serverless hosts, never listen.
 */
export class ListeningState {
  readonly #failed = new Set<object>();
  readonly #listening = new Set<object>();
  #isUp = true;

  /** @param changed called when the application goes up or down */
  constructor(private readonly changed: (isUp: boolean) => void) {}

  watchServer(server: unknown): void {
    if (!isServer(server)) return;
    // A listener of `error` would count as a handler, and hide errors that end the process.
    server.on(errorMonitor, () => {
      if (!server.listening) this.#hasFailed(server);
    });
    server.on('listening', () => this.#listens(server));
    server.on('close', () => this.#listening.delete(server));
    if (server.listening) this.#listens(server);
  }

  /** Watches the transport's next `listen()`, whose callback is all that reports a failure of every transport. */
  watchTransport(transport: unknown): void {
    if (!isTransport(transport)) return;
    const own = Object.getOwnPropertyDescriptor(transport, 'listen');
    const restore = () => {
      if (own) Object.defineProperty(transport, 'listen', own);
      else Reflect.deleteProperty(transport, 'listen');
    };
    const listen: Transport['listen'] = (callback, ...rest) => {
      restore();
      try {
        return transport.listen(
          (error, ...results) => {
            if (error) this.#transportFailed(transport);
            else this.#listens(transport);
            return callback?.(error, ...results);
          },
          ...rest,
        );
      } catch (error) {
        this.#transportFailed(transport);
        throw error;
      }
    };
    Reflect.defineProperty(transport, 'listen', { value: listen, configurable: true, writable: true });
  }

  #transportFailed(transport: Transport): void {
    this.#hasFailed(transport);
    // It may be tried again.
    this.watchTransport(transport);
  }

  #hasFailed(server: object): void {
    this.#failed.add(server);
    this.#update();
  }

  #listens(server: object): void {
    this.#failed.delete(server);
    this.#listening.add(server);
    this.#update();
  }

  #update(): void {
    const isUp = this.#failed.size === 0 || this.#listening.size > 0;
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    this.changed(isUp);
  }
}

function isServer(value: unknown): value is ListeningServer {
  const { listening, on } = (value ?? {}) as Partial<ListeningServer>;
  return typeof listening === 'boolean' && typeof on === 'function';
}

function isTransport(value: unknown): value is Transport {
  return typeof value === 'object' && value !== null && 'listen' in value && typeof value.listen === 'function';
}
