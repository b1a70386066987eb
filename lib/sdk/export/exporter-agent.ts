import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { markUntraced } from '../../core/suppression.js';
import type { TlsFiles } from './tls.js';
import type { Transport } from './transport.js';

type Connect = (options: object, callback: (error: Error | null, socket?: Duplex) => void) => Duplex | undefined;

/** The connections of an exporter over HTTP, which can be closed when the application shuts down. */
export class ExporterAgent implements Required<Pick<Transport, 'stopRetrying' | 'isIdle' | 'close'>> {
  readonly agent: http.Agent;
  readonly #sockets = new Set<Duplex>();
  #mayRetry = true;
  #isClosed = false;

  constructor(protocol: string, tls: TlsFiles) {
    const keepAlive = true;
    this.agent = protocol === 'https:' ? new https.Agent({ keepAlive, ...tls }) : new http.Agent({ keepAlive });
    markUntraced(this.agent);
    const connect = Reflect.get(this.agent, 'createConnection') as Connect;
    const createConnection: Connect = (options, callback) => {
      if (!this.#isClosed) return this.#watch(connect.call(this.agent, options, callback));
      callback(closedError());
      return undefined;
    };
    Reflect.set(this.agent, 'createConnection', createConnection);
  }

  stopRetrying(): void {
    this.#mayRetry = false;
  }

  isIdle(): boolean {
    return Object.keys(this.agent.sockets).length === 0 && Object.keys(this.agent.requests).length === 0;
  }

  close(): void {
    this.#isClosed = true;
    for (const socket of this.#sockets) socket.destroy(closedError());
    this.agent.destroy();
  }

  #watch(socket: Duplex | undefined): Duplex | undefined {
    if (!socket) return undefined;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // The exporter decides by the code of an error to make another attempt, some seconds later.
    socket.prependListener('error', (error: NodeJS.ErrnoException) => {
      if (!this.#mayRetry) delete error.code;
    });
    return socket;
  }
}

function closedError(): Error {
  return new Error('the exporter has shut down');
}
