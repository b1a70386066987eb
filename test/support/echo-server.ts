import {
  loadPackageDefinition,
  Metadata,
  Server,
  ServerCredentials,
  status,
  type ServerDuplexStream,
  type ServerOptions,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  type ServiceClientConstructor,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath, type Message } from './grpc-app.js';

/** The stub of `test.Echo` that grpc-js makes. */
export const EchoClient = (
  loadPackageDefinition(loadSync(protoPath)) as unknown as { test: { Echo: ServiceClientConstructor } }
).test.Echo;

/** A call as the server received it. */
export interface ReceivedCall {
  readonly path: string;
  readonly metadata: Metadata;
}

/** The members that calls of all four kinds have. */
interface Call {
  readonly request?: Message;
  readonly metadata: Metadata;
  getPath(): string;
  sendMetadata(metadata: Metadata): void;
  on(event: 'cancelled' | 'end', listener: () => void): unknown;
}

/**
 * A server of `test.Echo` with only grpc-js, which is not traced.
 *
 * The text of a message tells it what to do: `fail` with the code that `count` says, `hang`, or to be sent back, by
 * streams as often as `count` says. It answers with the metadata `x-header` and `x-trailer`.
 */
export class EchoServer {
  readonly received: ReceivedCall[] = [];
  /** The number of calls that their clients have cancelled. */
  cancelled = 0;
  /** The number of attempts that fail before one is answered. */
  refusals = 0;
  #wake: (() => void)[] = [];

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param bind the address to listen on, which may be a `unix:` path */
  static async start(bind = '127.0.0.1:0', options: ServerOptions = {}): Promise<EchoServer> {
    const server = new Server(options);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(bind, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    const echo = new EchoServer(server, port);
    server.addService(EchoClient.service, echo.#handlers());
    return echo;
  }

  /** The address as `host:port`. */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The metadata of the last call. */
  get lastMetadata(): Metadata {
    return this.received.at(-1)!.metadata;
  }

  /** Waits until the condition is true. It is checked at each event of a call, because only calls can change it. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#wake.push(resolve));
  }

  /** Destroys all connections at once. */
  die(): void {
    this.server.forceShutdown();
  }

  #handlers() {
    return {
      unary: (call: ServerUnaryCall<Message, Message>, answer: sendUnaryData<Message>) => {
        this.#begin(call, call.request, (error) => answer(error, call.request, trailer()));
      },
      serverStream: (call: ServerWritableStream<Message, Message>) => {
        const { count = 0 } = call.request;
        this.#begin(call, call.request, (error) => {
          for (let index = 0; index < (error ? 0 : count); index++) call.write({ ...call.request, count: index });
          if (error) call.emit('error', error);
          else call.end(trailer());
        });
      },
      clientStream: (call: ServerReadableStream<Message, Message>, answer: sendUnaryData<Message>) => {
        let count = 0;
        const last = this.#lastOf(call, () => count++);
        this.#begin(call, last, (error) => answer(error, { ...last, count }, trailer()));
      },
      bidi: (call: ServerDuplexStream<Message, Message>) => {
        const last = this.#lastOf(call, (message) => void (message.text !== 'fail' && call.write(message)));
        this.#begin(call, last, (error) => {
          if (error) call.emit('error', error);
          else call.end(trailer());
        });
      },
    };
  }

  #begin(call: Call, message: Message, end: (error: object | null) => void): void {
    this.received.push({ path: call.getPath(), metadata: call.metadata });
    call.on('cancelled', () => {
      this.cancelled++;
      this.#changed();
    });
    this.#changed();
    const header = new Metadata();
    header.set('x-header', 'first');
    const go = () => {
      if (message.text === 'hang') return call.sendMetadata(header);
      if (this.refusals > 0) {
        this.refusals--;
        return end({ code: status.UNAVAILABLE, details: 'not now' });
      }
      call.sendMetadata(header);
      if (message.text === 'fail') end({ code: message.count, details: 'as you wish', metadata: trailer() });
      else end(null);
    };
    if (call.request) go();
    else call.on('end', go);
  }

  /** The last message of a stream, which is updated with each message. */
  #lastOf(call: { on(event: 'data', listener: (message: Message) => void): unknown }, each: (it: Message) => void) {
    const last: Message = {};
    call.on('data', (message) => {
      each(message);
      Object.assign(last, message);
    });
    return last;
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

function trailer(): Metadata {
  const metadata = new Metadata();
  metadata.set('x-trailer', 'last');
  return metadata;
}
