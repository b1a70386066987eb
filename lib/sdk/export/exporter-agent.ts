import http from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { markUntraced } from '../../core/suppression.js';
import type { TlsFiles } from './tls.js';
import type { Transport } from './transport.js';

type Connect = (options: object, callback: (error: Error | null, socket?: Duplex) => void) => Duplex | undefined;

/** The connections of an exporter over HTTP, with the means to end them when the application closes. */
export class ExporterAgent implements Required<Pick<Transport, 'stopRetrying' | 'isIdle' | 'close'>> {
  readonly agent: http.Agent;
  readonly #sockets = new Set<Duplex>();
  #retrying = true;
  #closed = false;

  constructor(protocol: string, tls: TlsFiles) {
    const keepAlive = true;
    this.agent = protocol === 'https:' ? new https.Agent({ keepAlive, ...tls }) : new http.Agent({ keepAlive });
    markUntraced(this.agent);
    const connect = Reflect.get(this.agent, 'createConnection') as Connect;
    const createConnection: Connect = (options, callback) => {
      if (!this.#closed) return this.#watch(connect.call(this.agent, options, callback));
      callback(closedError());
      return undefined;
    };
    Reflect.set(this.agent, 'createConnection', createConnection);
  }

  stopRetrying(): void {
    this.#retrying = false;
  }

  isIdle(): boolean {
    return Object.keys(this.agent.sockets).length === 0 && Object.keys(this.agent.requests).length === 0;
  }

  close(): void {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy(closedError());
    this.agent.destroy();
  }

  #watch(socket: Duplex | undefined): Duplex | undefined {
    if (!socket) return undefined;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    // The exporter tells by its code whether an error is worth another attempt, some seconds later.
    socket.prependListener('error', (error: NodeJS.ErrnoException) => {
      if (!this.#retrying) delete error.code;
    });
    return socket;
  }
}

function closedError(): Error {
  return new Error('the exporter has shut down');
}
