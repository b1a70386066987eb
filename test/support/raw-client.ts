import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A client that can write any bytes, also one by one, and can disconnect at any time. */
export class RawClient {
  received = '';

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1').on('data', (chunk: string) => (this.received += chunk));
    // Errors are ignored, because the client disconnects abruptly on purpose.
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

  /** Resolves when this text has arrived the given number of times. */
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

  /** Disconnects. */
  leave(): void {
    this.socket.destroy();
  }

  /** Disconnects without the usual end of a connection: the server sees a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
