import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that writes what it likes, byte by byte, and goes away when it likes. */
export class RawClient {
  received = '';

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk: string) => (this.received += chunk));
    // Going away abruptly is what it is for.
    socket.on('error', () => {});
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawClient> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Sends a request line and headers as they are; `Host` is added. */
  send(requestLine: string, headers: readonly string[] = [], body = ''): this {
    this.socket.write([`${requestLine} HTTP/1.1`, 'Host: localhost', ...headers, '', body].join('\r\n'));
    return this;
  }

  write(text: string): this {
    this.socket.write(text);
    return this;
  }

  /** Resolves when this text has come, as many times as said. */
  async saw(text: string, times = 1): Promise<void> {
    while (this.received.split(text).length <= times) {
      if (this.socket.destroyed) throw new Error(`the connection closed before "${text}" came: ${this.received}`);
      await Promise.race([once(this.socket, 'data'), once(this.socket, 'close')]);
    }
  }

  /** Resolves when the server has closed the connection. */
  async closed(): Promise<string> {
    if (!this.socket.destroyed) await once(this.socket, 'close');
    return this.received;
  }

  /** Goes away. */
  leave(): void {
    this.socket.destroy();
  }

  /** Goes away without the usual good-bye: the server sees its connection reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
