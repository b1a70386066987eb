import { createServer, connect, type Server as NetServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import {
  ClientProxy,
  Server,
  type CustomTransportStrategy,
  type ReadPacket,
  type WritePacket,
} from '@nestjs/microservices';
import { lastValueFrom } from 'rxjs';

/** The message that a pigeon carries: one line of JSON. */
export interface Letter {
  readonly pattern: string;
  readonly data: unknown;
  /** The id for the answer. Undefined if the sender wants no answer. */
  readonly id?: string;
  readonly headers?: Record<string, string>;
}

interface Reply extends WritePacket {
  readonly id: string;
}

type Packet = ReadPacket & Pick<Letter, 'pattern' | 'headers'>;

/** A made-up transport of Nest, over real sockets. Its code does not refer to tracing. */
export class PigeonServer extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('pigeon');
  #server: NetServer | undefined;

  constructor(private readonly port: number) {
    super();
  }

  listen(callback: () => void): void {
    this.#server = createServer((socket) => {
      createInterface(socket).on('line', (line) => void this.deliver(JSON.parse(line) as Letter, socket));
    }).listen(this.port, '127.0.0.1', callback);
  }

  /** Hands a letter to its handler, and sends the answer. Never rejects: an error is an answer. */
  async deliver(letter: Letter, socket: Socket): Promise<WritePacket> {
    const reply = await this.handle(letter);
    if (letter.id !== undefined) socket.write(`${JSON.stringify({ ...reply, id: letter.id })}\n`);
    return reply;
  }

  private async handle({ data, pattern }: Letter): Promise<WritePacket> {
    const handler = this.getHandlerByPattern(pattern);
    if (!handler) return { err: 'nobody lives there' };
    try {
      const answers = this.transformToObservable(await handler(data, {}));
      return { response: await lastValueFrom(answers), isDisposed: true };
    } catch (error) {
      return { err: error instanceof Error ? error.message : error };
    }
  }

  close(): void {
    this.#server?.close();
  }

  on(): void {}

  unwrap<T>(): T {
    return this.#server as T;
  }
}

/** The client of the made-up transport. */
export class PigeonClient extends ClientProxy {
  #socket: Socket | undefined;
  readonly #waiting = new Map<string, (reply: WritePacket) => void>();
  #lastId = 0;

  constructor(private readonly port: number) {
    super();
  }

  connect(): Promise<Socket> {
    const socket = (this.#socket ??= connect(this.port, '127.0.0.1'));
    createInterface(socket).on('line', (line) => {
      const { id, ...reply } = JSON.parse(line) as Reply;
      this.#waiting.get(id)?.(reply);
    });
    return Promise.resolve(socket);
  }

  close(): void {
    this.#socket?.destroy();
  }

  unwrap<T>(): T {
    return this.#socket as T;
  }

  protected override publish(packet: Packet, callback: (reply: WritePacket) => void): () => void {
    const id = String(++this.#lastId);
    this.#waiting.set(id, callback);
    this.write({ ...packet, id });
    return () => this.#waiting.delete(id);
  }

  protected override dispatchEvent<T>(packet: Packet): Promise<T> {
    this.write(packet);
    return Promise.resolve(undefined as T);
  }

  /** Sends a letter unchanged. */
  write(letter: Letter): void {
    this.#socket?.write(`${JSON.stringify(letter)}\n`);
  }
}
