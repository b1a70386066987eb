import { once } from 'node:events';
import net, { type AddressInfo, type Socket } from 'node:net';

/** What a server does with a connection. */
export type Behaviour = (socket: Socket) => void;

/** A server on a port of its own. A connection keeps the behaviour that the server has when it comes. */
export class FrontServer {
  readonly sockets = new Set<Socket>();
  /** The most connections that were open at a time. */
  mostSockets = 0;
  /** The most bytes that were sent on a connection. */
  mostBytes = 0;
  port = 0;
  private server = net.createServer();

  constructor(public behaviour: Behaviour) {}

  /** Starts to listen: on the same port as before, if there is one. */
  async listen(): Promise<void> {
    this.server = net.createServer((socket) => {
      this.sockets.add(socket);
      this.mostSockets = Math.max(this.mostSockets, this.sockets.size);
      socket
        .on('error', () => {})
        .on('close', () => {
          this.sockets.delete(socket);
          this.mostBytes = Math.max(this.mostBytes, socket.bytesWritten);
        });
      this.behaviour(socket);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  /** Resolves when the client has closed all connections. */
  async isLeft(): Promise<void> {
    for (const socket of this.sockets) {
      // A socket that is not read does not notice. One that a server has taken over is read by it.
      if (socket.isPaused()) socket.resume();
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
    }
  }

  /** Ends all connections, and refuses further ones. */
  async stop(): Promise<void> {
    if (!this.server.listening) return;
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}
