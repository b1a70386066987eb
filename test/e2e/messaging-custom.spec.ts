/** Transports and clients of the application's own. */
import { describe, expect, it } from '@jest/globals';
import { Controller, Module, type INestMicroservice, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  BaseRpcContext,
  ClientProxy,
  ClientTCP,
  ClientsModule,
  EventPattern,
  MessagePattern,
  Payload,
  Server,
  Transport,
  type CustomTransportStrategy,
  type ReadPacket,
  type WritePacket,
} from '@nestjs/microservices';
import { TracingModule } from 'nestjs-tracing';
import { firstValueFrom, retry, type Observable } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { answererOf, received, untilReceived } from '../support/messaging-app.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { handler } from '../support/trace-tree.js';

/** Where letters are posted: the text of each, by the pattern. */
type Post = (letter: string) => Promise<unknown>;

class LetterContext extends BaseRpcContext<[object | undefined]> {
  getMetadata(): object | undefined {
    return this.getArgByIndex(0);
  }
}

class LetterServer extends Server implements CustomTransportStrategy {
  override readonly transportId = Symbol('letters');

  listen(callback: () => void): void {
    callback();
  }

  close(): void {}

  on(): void {}

  unwrap<T>(): T {
    return this as unknown as T;
  }

  deliver: Post = async (letter) => {
    const { pattern, data, metadata } = JSON.parse(letter) as { pattern: string; data: unknown; metadata?: object };
    const handle = this.getHandlerByPattern(pattern);
    const result = await handle?.(data, new LetterContext([metadata]));
    return firstValueFrom(this.transformToObservable(result), { defaultValue: undefined });
  };
}

class LetterClient extends ClientProxy {
  /** The letters that were sent. */
  readonly letters: string[] = [];

  constructor(
    private readonly post: Post,
    private readonly carriesMetadata: boolean,
  ) {
    super();
  }

  async connect(): Promise<void> {}

  close(): void {}

  unwrap<T>(): T {
    return this as unknown as T;
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    void this.answer(packet, callback);
    return () => {};
  }

  protected async dispatchEvent<T>(packet: ReadPacket): Promise<T> {
    return (await this.deliver(packet)) as T;
  }

  private async answer(packet: ReadPacket, callback: (packet: WritePacket) => void): Promise<void> {
    try {
      callback({ response: await this.deliver(packet), isDisposed: true });
    } catch (err) {
      callback({ err });
    }
  }

  private async deliver(packet: ReadPacket): Promise<unknown> {
    const { metadata } = packet as { metadata?: object };
    const letter = JSON.stringify(this.carriesMetadata ? { ...packet, metadata } : packet);
    this.letters.push(letter);
    return this.post(letter);
  }
}

@Controller()
class LetterController {
  @MessagePattern('ask')
  ask(@Payload() data: unknown): unknown {
    return data;
  }

  @EventPattern('tell')
  tell(@Payload() data: unknown): void {
    received.emit('tell', data);
  }
}

async function withLetters(
  carriesMetadata: boolean,
  test: (parts: { client: LetterClient; traces: TraceRecorder; app: INestMicroservice }) => Promise<void>,
): Promise<void> {
  const traces = new TraceRecorder();
  const server = new LetterServer();
  const client = new LetterClient((letter) => server.deliver(letter), carriesMetadata);
  @Module({
    imports: [TracingModule.forRoot({ exporter: traces, spanProcessors: [traces] })],
    providers: [{ provide: 'CLIENT', useValue: client }],
    controllers: [LetterController],
  })
  class LetterModule {}
  const app = await NestFactory.createMicroservice(LetterModule, { strategy: server, logger: false });
  await app.listen();
  try {
    await test({ client, traces, app });
  } finally {
    await app.close();
  }
}

describe('a transport of the application', () => {
  it('carries the trace context if it sends packet.metadata and has it in its context', async () => {
    await withLetters(true, async ({ client, traces }) => {
      await expect(firstValueFrom(client.send('ask', 'x'))).resolves.toBe('x');
      await traces.expect({
        name: 'ask',
        kind: 'CLIENT',
        attributes: { 'messaging.system': 'custom' },
        children: [
          {
            name: 'ask',
            kind: 'SERVER',
            attributes: { 'messaging.system': 'custom' },
            children: [handler('LetterController.ask')],
          },
        ],
      });
      const told = untilReceived('tell');
      await firstValueFrom(client.emit('tell', 'y'), { defaultValue: undefined });
      await expect(told).resolves.toBe('y');
      await traces.until((all) => all.length === 3);
      expect(traces.named('process tell').links[0]?.context.spanId).toBe(
        traces.named('send tell').spanContext().spanId,
      );
    });
  });

  it('sends the same packet as without tracing', async () => {
    await withLetters(false, async ({ client }) => {
      await firstValueFrom(client.send('ask', 'x'));
      expect(client.letters).toEqual(['{"pattern":"ask","data":"x"}']);
    });
  });
});

class RetryingClient extends ClientTCP {
  failures = 0;

  override send<TResult = unknown, TInput = unknown>(pattern: unknown, data: TInput): Observable<TResult> {
    return super.send<TResult, TInput>(pattern, data).pipe(retry(1));
  }

  protected override publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    if (this.failures-- > 0) {
      callback({ err: new Error('not now') });
      return () => {};
    }
    return super.publish(packet, callback);
  }
}

describe('a subclass of a client of Nest', () => {
  it('has one span for a request that it retries by itself', async () => {
    const port = await freePort();
    const traces = new TraceRecorder();
    const options = { host: '127.0.0.1', port };
    @Module({
      imports: [
        TracingModule.forRoot({ exporter: traces, spanProcessors: [traces] }),
        ClientsModule.register([{ customClass: RetryingClient as Type, options, name: 'CLIENT' }]),
      ],
      controllers: [answererOf('ask')],
    })
    class AppModule {}
    const app = await NestFactory.createMicroservice(AppModule, { transport: Transport.TCP, options, logger: false });
    await app.listen();
    const client = app.get<RetryingClient>('CLIENT');
    client.failures = 1;
    await expect(firstValueFrom(client.send('ask', 1))).resolves.toBe('1');
    await traces.expect({
      name: 'ask',
      kind: 'CLIENT',
      attributes: { 'messaging.system': 'tcp', 'server.port': port },
      children: [{ name: 'ask', kind: 'SERVER', children: [handler('Answerer.answer')] }],
    });
    await app.close();
  });
});
