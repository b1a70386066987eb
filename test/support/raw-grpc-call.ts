import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectSocket, type Socket } from 'node:net';

/** A message as it is sent over the wire. */
export function frame(payload: Buffer, compressed = false): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(compressed ? 1 : 0, 0);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

/** A gRPC call that a test encodes itself, to send bytes that no client would send. */
export class RawGrpcCall {
  private constructor(
    private readonly socket: Socket,
    private readonly session: ClientHttp2Session,
    private readonly stream: ClientHttp2Stream,
    private readonly answer: Promise<IncomingHttpHeaders>,
  ) {}

  static start(port: number, path: string, headers: Record<string, string | string[]> = {}): RawGrpcCall {
    const socket = connectSocket(port, '127.0.0.1');
    const session = connect(`http://127.0.0.1:${port}`, { createConnection: () => socket });
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    stream.on('error', () => {});
    const answer = new Promise<IncomingHttpHeaders>((resolve) => {
      // An answer without messages has its status among its headers.
      const take = (received: IncomingHttpHeaders) => 'grpc-status' in received && resolve(received);
      stream.on('response', take).on('trailers', take);
    });
    stream.resume();
    return new RawGrpcCall(socket, session, stream, answer);
  }

  write(bytes: Buffer): this {
    this.stream.write(bytes);
    return this;
  }

  end(): this {
    this.stream.end();
    return this;
  }

  /** The status, such as `13 Error deserializing request`. */
  async status(): Promise<string> {
    const answer = await this.answer;
    this.session.close();
    return `${String(answer['grpc-status'])} ${decodeURI(String(answer['grpc-message']))}`;
  }

  /** Destroys the connection, as the kill of a process does. */
  async vanish(): Promise<void> {
    const closed = new Promise((resolve) => this.session.once('close', resolve));
    this.socket.destroy();
    await closed;
  }
}
