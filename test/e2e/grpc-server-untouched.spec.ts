import { describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod, RpcException } from '@nestjs/microservices';
import {
  credentials,
  loadPackageDefinition,
  Metadata,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ServerDuplexStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type StatusObject,
} from '@grpc/grpc-js';
import { SpanKind } from '@opentelemetry/api';
import { loadSync } from '@grpc/proto-loader';
import { concat, concatMap, map, of, range, tap, throwError, toArray, type Observable } from 'rxjs';
import { once } from 'node:events';
import { protoPath, startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';

/** The events on the server, in order. */
let order: string[] = [];

/** Called for each message that an asynchronous handler has received. */
let got = () => {};

/** The number of messages that a stream has emitted although its client does not read them. */
let emitted = 0;

function mark(name: string, value: string): Metadata {
  const metadata = new Metadata();
  metadata.set(name, value);
  return metadata;
}

@Controller()
class EchoController {
  @GrpcMethod('Echo', 'Unary')
  async unary({ text }: Message, metadata: Metadata, call: ServerUnaryCall<Message, Message>): Promise<Message> {
    order.push(`unary ${text}, ${metadata.get('x-in').join()}`);
    call.sendMetadata(mark('x-header', 'h'));
    if (text === 'throw') throw new Error('broke');
    if (text === 'refuse') throw new RpcException({ code: 9, message: 'no', metadata: mark('x-why', 'because') });
    await Promise.resolve();
    return { text: `${text}!` };
  }

  @GrpcMethod('Echo', 'ServerStream')
  serverStream({ text, count = 0 }: Message, _metadata: Metadata, call: ServerWritableStream<Message, Message>) {
    call.on('cancelled', () => order.push('cancelled'));
    call.on('finish', () => order.push('finish'));
    if (text === 'many') {
      const payload = 'x'.repeat(10_000);
      return range(0, count).pipe(
        tap(() => void emitted++),
        map((n) => ({ text: payload, count: n })),
      );
    }
    const messages = of({ count: 1 }, { count: 2 });
    return text === 'throw'
      ? concat(
          messages,
          throwError(() => new Error('broke')),
        )
      : messages;
  }

  @GrpcStreamMethod('Echo', 'ClientStream')
  async clientStream(messages: Observable<Message>): Promise<Observable<Message>> {
    order.push('handler');
    // Nest keeps the messages that have arrived by now for the handler.
    await new Promise((resolve) => setTimeout(resolve, 5));
    return messages.pipe(
      tap(({ text }) => {
        order.push(`message ${text}`);
        got();
      }),
      toArray(),
      map((all) => ({ count: all.length })),
    );
  }

  @GrpcStreamMethod('Echo', 'Bidi')
  bidi(messages: Observable<Message>): Observable<Message> {
    return messages.pipe(
      tap({ next: ({ text }) => void order.push(`message ${text}`), complete: () => void order.push('end') }),
      concatMap(async ({ text }) => {
        if (text === 'throw') throw new RpcException({ code: 3, message: 'not that' });
        return { text: `${text}!` };
      }),
    );
  }
}

@Controller()
class PassThroughController {
  @GrpcStreamCall('Echo', 'Bidi')
  bidi(call: ServerDuplexStream<Message, Message>): void {
    for (const event of ['data', 'end', 'finish', 'cancelled', 'close']) call.on(event, () => order.push(event));
    call.on('data', (message: Message) => call.write(message));
    call.on('end', () => call.end(mark('x-trailer', 't')));
  }
}

interface Client {
  unary(message: Message, metadata: Metadata, done: (error: ServiceError | null, answer?: Message) => void): Heard;
  serverStream(message: Message, metadata: Metadata): ClientReadableStream<Message>;
  clientStream(
    metadata: Metadata,
    done: (error: ServiceError | null, answer?: Message) => void,
  ): Heard & { write(message: Message): void; end(): void };
  bidi(metadata: Metadata): ClientDuplexStream<Message, Message>;
  close(): void;
}

interface Heard {
  on(event: 'metadata', heard: (metadata: Metadata) => void): void;
  on(event: 'status', heard: (status: StatusObject) => void): void;
}

const entries = (metadata: Metadata): object => {
  const { date: _date, ...rest } = metadata.getMap();
  return rest;
};

/** Everything that a client receives of a call, until its end. */
async function transcript(call: Heard, begin: () => void = () => {}): Promise<unknown[]> {
  const heard: unknown[] = [];
  call.on('metadata', (metadata) => heard.push(['metadata', entries(metadata)]));
  const stream = call as ClientReadableStream<Message>;
  stream.on('data', ({ text, count }: Message) => heard.push(['data', text, count]));
  stream.on('end', () => heard.push('end'));
  stream.on('error', (error: ServiceError) => heard.push(['error', error.code, error.details]));
  const over = new Promise<StatusObject>((resolve) => call.on('status', resolve));
  begin();
  const { code, details, metadata } = await over;
  return [...heard, ['status', code, details, entries(metadata)]];
}

/** The calls, which are the same for every kind of server. */
const scenes: Record<string, (client: Client, grpc: GrpcApp) => Promise<unknown>> = {
  ...Object.fromEntries(
    ['plain', 'throw', 'refuse'].map((text) => [
      `unary: ${text}`,
      (client: Client) => {
        const answers: unknown[] = [];
        const call = client.unary({ text }, mark('x-in', 'i'), (error, answer) =>
          answers.push(error ? [error.code, error.details, entries(error.metadata)] : answer),
        );
        return transcript(call).then((heard) => [heard, answers]);
      },
    ]),
  ),
  'server stream': (client) => transcript(client.serverStream({}, new Metadata())),
  'server stream that fails': (client) => transcript(client.serverStream({ text: 'throw' }, new Metadata())),
  'server stream that is cancelled': async (client) => {
    const call = client.serverStream({ text: 'many', count: 500 }, new Metadata());
    call.once('data', () => call.cancel());
    const heard = await transcript(call);
    return heard.at(-1);
  },
  'server stream, large and read slowly': async (client) => {
    emitted = 0;
    const call = client.serverStream({ text: 'many', count: 400 }, new Metadata());
    const counts: (number | undefined)[] = [];
    call.pause();
    call.on('readable', () => {
      for (let it = call.read() as Message | null; it; it = call.read() as Message | null) counts.push(it.count);
    });
    await once(call, 'end');
    return [emitted, counts];
  },
  'client stream with an async handler': async (client) => {
    const answers: unknown[] = [];
    const call = client.clientStream(new Metadata(), (error, answer) => answers.push(error?.code ?? answer));
    const heard = transcript(call);
    // The messages are sent one by one, because Nest lets a message overtake those that it keeps for the handler.
    for (const text of ['a', 'b', 'c']) {
      const arrived = new Promise<void>((resolve) => (got = resolve));
      call.write({ text });
      await arrived;
    }
    call.end();
    return [await heard, answers];
  },
  'stream both ways': (client) => {
    const call = client.bidi(new Metadata());
    return transcript(call, () => {
      for (const text of ['a', 'b', 'c']) call.write({ text });
      call.end();
    });
  },
  'stream both ways that fails': (client) => {
    const call = client.bidi(new Metadata());
    return transcript(call, () => {
      for (const text of ['a', 'throw']) call.write({ text });
    });
  },
};

const Service = (
  loadPackageDefinition(loadSync(protoPath)).test as unknown as { Echo: new (...args: unknown[]) => Client }
).Echo;

/** Plays the scenes against an application. Returns what both sides saw, and the names of the calls that were traced. */
async function play(
  controller: typeof EchoController | typeof PassThroughController,
  names: string[],
  tracing: object | false,
): Promise<{ report: unknown; traced: string[] }> {
  const grpc = await startGrpcApp({ controllers: [controller], tracing });
  const client = new Service(grpc.address, credentials.createInsecure());
  const report: Record<string, unknown> = {};
  try {
    for (const name of names) {
      order = [];
      const heard = await scenes[name]!(client, grpc);
      // The server learns of the end after the client. After one more call, it has learned of it.
      await new Promise((resolve) => client.unary({ text: 'plain' }, new Metadata(), resolve));
      report[name] = {
        heard,
        order: order.filter((it) => !it.startsWith('unary plain, ') || name.startsWith('unary')),
      };
    }
  } finally {
    client.close();
    await grpc.close();
  }
  const served = grpc.traces.spans.filter(({ kind }) => kind === SpanKind.SERVER);
  return { report, traced: [...new Set(served.map(({ name }) => name))].toSorted() };
}

const EVERY_CALL = ['Bidi', 'ClientStream', 'ServerStream', 'Unary'].map((method) => `test.Echo/${method}`);

describe('a server that is traced', () => {
  it.each([
    ['by default', {}, EVERY_CALL],
    [
      'with everything recorded',
      {
        grpc: { messageEvents: true, requestMetadata: ['x-in'], responseMetadata: ['x-header', 'x-why', 'x-trailer'] },
      },
      EVERY_CALL,
    ],
    ['without a sample', { sampler: { ratio: 0 } }, []],
  ])('answers as it does untraced: %s', async (_how, tracing, traced) => {
    const names = Object.keys(scenes);
    const { report: untraced } = await play(EchoController, names, false);
    expect(untraced).toMatchObject({
      'unary: plain': { order: expect.arrayContaining(['unary plain, i']) },
      'client stream with an async handler': { order: ['handler', 'message a', 'message b', 'message c'] },
    });
    expect(await play(EchoController, names, tracing)).toEqual({ report: untraced, traced });
  });

  it('answers as it does untraced through a pass-through handler', async () => {
    const names = ['stream both ways'];
    const { report: untraced } = await play(PassThroughController, names, false);
    expect(untraced).toMatchObject({
      'stream both ways': { order: expect.arrayContaining(['data', 'end', 'finish']) },
    });
    const traced = ['test.Echo/Bidi', 'test.Echo/Unary'];
    expect(await play(PassThroughController, names, {})).toEqual({ report: untraced, traced });
  });
});
