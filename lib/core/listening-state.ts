import { errorMonitor } from 'node:events';

/** The members of an HTTP server that are used here. */
interface ListeningServer {
  readonly listening: boolean;
  on(event: string | symbol, listener: () => void): unknown;
}

/** The members of a Nest microservice transport that are used here. */
interface Transport {
  listen(callback?: (error?: unknown, ...results: unknown[]) => unknown, ...rest: unknown[]): unknown;
}

/**
 * Knows whether the servers of an application can listen. An application is down if a server has failed to listen, because its port is
 * taken say, and no server listens. It is up before the first attempt: tests and serverless hosts never listen.
 */
export class ListeningState {
  readonly #failed = new Set<object>();
  readonly #listening = new Set<object>();
  #isUp = true;

  /** @param onChange called when the application goes up or down */
  constructor(private readonly onChange: (isUp: boolean) => void) {}

  /** Watches an HTTP server. */
  watchServer(server: unknown): void {
    if (!isServer(server)) return;
    // A listener of `error` would count as a handler, and hide errors that end the process.
    server.on(errorMonitor, () => {
      if (!server.listening) this.#recordFailure(server);
    });
    server.on('listening', () => this.#recordListening(server));
    server.on('close', () => this.#listening.delete(server));
    if (server.listening) this.#recordListening(server);
  }

  /** Watches the next `listen()` of a transport. Its callback is the only report of a failure that every transport gives. */
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
            if (error) this.#recordTransportFailure(transport);
            else this.#recordListening(transport);
            return callback?.(error, ...results);
          },
          ...rest,
        );
      } catch (error) {
        this.#recordTransportFailure(transport);
        throw error;
      }
    };
    Reflect.defineProperty(transport, 'listen', { value: listen, configurable: true, writable: true });
  }

  #recordTransportFailure(transport: Transport): void {
    this.#recordFailure(transport);
    // The application may call listen() again.
    this.watchTransport(transport);
  }

  #recordFailure(server: object): void {
    this.#failed.add(server);
    this.#update();
  }

  #recordListening(server: object): void {
    this.#failed.delete(server);
    this.#listening.add(server);
    this.#update();
  }

  #update(): void {
    const isUp = this.#failed.size === 0 || this.#listening.size > 0;
    if (isUp === this.#isUp) return;
    this.#isUp = isUp;
    this.onChange(isUp);
  }
}

function isServer(value: unknown): value is ListeningServer {
  const { listening, on } = (value ?? {}) as Partial<ListeningServer>;
  return typeof listening === 'boolean' && typeof on === 'function';
}

function isTransport(value: unknown): value is Transport {
  return typeof value === 'object' && value !== null && 'listen' in value && typeof value.listen === 'function';
}
