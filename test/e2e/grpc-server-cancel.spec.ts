import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod } from '@nestjs/microservices';
import {
  Metadata,
  status,
  type Client,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type StatusObject,
} from '@grpc/grpc-js';
import { SpanKind } from '@opentelemetry/api';
import { concat, defer, firstValueFrom, map, NEVER, of, Subject, tap, throwError, type Observable } from 'rxjs';
import { echoClient, echoMethods, type AnyCall, type Kind } from '../support/echo-calls.js';
import { freePort } from '../support/free-port.js';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import { frame, RawGrpcCall } from '../support/raw-grpc-call.js';
import { Scrape } from '../support/scrape.js';

/** The reactions of a handler to the end of its requests, which a cancellation causes as well. */
const reactions = ['completes', 'fails', 'goes on'] as const;
type Reaction = (typeof reactions)[number];

const reached = new Subject<void>();

const reactionOf = (metadata: Metadata) => metadata.get('on-end')[0] as Reaction;
const end: Record<Reaction, () => Observable<never>> = {
  completes: () => of<never>(),
  fails: () => throwError(() => new Error('left alone')),
  'goes on': () => NEVER,
};

@Controller()
class ObservingController {
  @GrpcMethod('Echo', 'Unary')
  unary(_message: Message, _metadata: Metadata): Observable<Message> {
    return defer(() => {
      reached.next();
      return NEVER;
    });
  }
  @GrpcMethod('Echo', 'ServerStream')
  serverStream(): Observable<Message> {
    return defer(() => {
      reached.next();
      return concat(of({ text: 'one' }), NEVER);
    });
  }
  @GrpcStreamMethod('Echo', 'ClientStream')
  clientStream(messages: Observable<Message>, metadata: Metadata): Observable<Message> {
    reached.next();
    return concat(messages.pipe(tap(() => reached.next())), end[reactionOf(metadata)]());
  }
  @GrpcStreamMethod('Echo', 'Bidi')
  bidi(messages: Observable<Message>, metadata: Metadata): Observable<Message> {
    reached.next();
    return concat(messages.pipe(map(({ text }) => ({ text: `${text}!` }))), end[reactionOf(metadata)]());
  }
}

@Controller()
class PassThroughController {
  @GrpcMethod('Echo', 'Unary')
  unary(): Observable<Message> {
    return new ObservingController().unary({}, new Metadata());
  }
  @GrpcMethod('Echo', 'ServerStream')
  serverStream(): Observable<Message> {
    return new ObservingController().serverStream();
  }
  @GrpcStreamCall('Echo', 'ClientStream')
  clientStream(call: ServerReadableStream<Message, Message>, callback: sendUnaryData<Message>): void {
    reached.next();
    call.on('data', () => reached.next());
    call.on('end', () => {
      const reaction = reactionOf(call.metadata);
      if (reaction === 'completes') callback(null, { text: 'done' });
      if (reaction === 'fails') callback(new Error('left alone'));
    });
  }
  @GrpcStreamCall('Echo', 'Bidi')
  bidi(call: ServerDuplexStream<Message, Message>): void {
    reached.next();
    call.on('data', ({ text }: Message) => call.write({ text: `${text}!` }));
    call.on('end', () => {
      const reaction = reactionOf(call.metadata);
      if (reaction === 'completes') call.end();
      if (reaction === 'fails') call.emit('error', new Error('left alone'));
    });
  }
}

const TIMES = 5;
const SERVER = 'rpc_server_call_duration_seconds';

describe.each([
  ['Observables', ObservingController],
  ['the call itself', PassThroughController],
])('a call that is cancelled, handled by %s', (_how, controller) => {
  let grpc: GrpcApp;
  let client: Client;
  let metricsUrl: string;
  beforeAll(async () => {
    const port = await freePort();
    metricsUrl = `http://127.0.0.1:${port}/metrics`;
    const metrics = { port, host: '127.0.0.1', defaultMetrics: false };
    grpc = await startGrpcApp({ controllers: [controller], tracing: { http: { client: false }, metrics } });
    client = echoClient(grpc.address);
  });
  afterEach(() => grpc.traces.reset());
  afterAll(async () => {
    client.close();
    await grpc.close();
  });

  function begin(method: Kind, reaction: Reaction = 'goes on', options: object = {}) {
    const metadata = new Metadata();
    metadata.set('on-end', reaction);
    const methods = echoMethods(client);
    const ignored = () => {};
    const call: AnyCall = {
      unary: () => methods.unary({}, metadata, options, ignored),
      serverStream: () => methods.serverStream({}, metadata, options),
      clientStream: () => methods.clientStream(metadata, options, ignored),
      bidi: () => methods.bidi(metadata, options),
    }[method]();
    const ended = new Promise<number>((resolve) => call.on('status', ({ code }: StatusObject) => resolve(code)));
    call.on('error', ignored);
    return { call, ended };
  }

  const served = () => grpc.traces.spans.filter(({ kind }) => kind === SpanKind.SERVER);
  async function expectServed(code: string, count: number): Promise<void> {
    await grpc.traces.until(() => served().length >= count, `${count} server spans`);
    expect(served().map(({ attributes }) => attributes['rpc.status_code'])).toEqual(Array(count).fill(code));
  }

  describe.each(reactions)('whose handler %s at the end of the requests', (reaction) => {
    it.each(['clientStream', 'bidi'] as const)('before the first message: %s', async (method) => {
      for (let n = 0; n < TIMES; n++) {
        const inHandler = firstValueFrom(reached);
        const { call, ended } = begin(method, reaction);
        await inHandler;
        call.cancel();
        expect(await ended).toBe(status.CANCELLED);
      }
      await expectServed('CANCELLED', TIMES);
    });

    it('after a message: clientStream', async () => {
      for (let n = 0; n < TIMES; n++) {
        const inHandler = firstValueFrom(reached);
        const { call, ended } = begin('clientStream', reaction);
        await inHandler;
        const received = firstValueFrom(reached);
        call.write({ text: 'a' });
        await received;
        call.cancel();
        expect(await ended).toBe(status.CANCELLED);
      }
      await expectServed('CANCELLED', TIMES);
    });

    // In these phases of the event loop, HTTP/2 writes the end of a stream and its reset together, or one after the other.
    it.each<[string, (cancel: () => void) => unknown]>([
      ['at once', (cancel) => cancel()],
      ['by a timer', (cancel) => setTimeout(cancel, 1)],
      ['by an immediate', (cancel) => setImmediate(cancel)],
    ])('after an answer, %s: bidi', async (_moment, soon) => {
      for (let n = 0; n < TIMES; n++) {
        const { call, ended } = begin('bidi', reaction);
        call.write({ text: 'a' });
        await new Promise((resolve) => call.on('data', resolve));
        soon(() => call.cancel());
        expect(await ended).toBe(status.CANCELLED);
      }
      await expectServed('CANCELLED', TIMES);
    });
  });

  it.each(['unary', 'serverStream', 'clientStream', 'bidi'] as const)('by a deadline: %s', async (method) => {
    const inHandler = firstValueFrom(reached);
    const { ended } = begin(method, 'goes on', { deadline: Date.now() + 1000 });
    await inHandler;
    expect(await ended).toBe(status.DEADLINE_EXCEEDED);
    await expectServed('DEADLINE_EXCEEDED', 1);
  });

  it.each(['unary', 'serverStream'] as const)('that has no stream of requests: %s', async (method) => {
    for (let n = 0; n < TIMES; n++) {
      const inHandler = firstValueFrom(reached);
      const { call, ended } = begin(method);
      await inHandler;
      call.cancel();
      expect(await ended).toBe(status.CANCELLED);
    }
    await expectServed('CANCELLED', TIMES);
  });

  it.each([
    ['Unary', true],
    ['ServerStream', true],
    ['ClientStream', false],
    ['Bidi', false],
  ] as const)('by the end of its client: %s', async (method, half) => {
    const inHandler = firstValueFrom(reached);
    const call = RawGrpcCall.start(grpc.port, `/test.Echo/${method}`, { 'on-end': 'completes' });
    if (half) call.write(frame(Buffer.alloc(0))).end();
    await inHandler;
    await call.vanish();
    await expectServed('CANCELLED', 1);
  });

  it('after the server has answered stays as it was answered', async () => {
    const { call, ended } = begin('bidi', 'completes');
    call.write({ text: 'a' });
    call.end();
    await once(call as never, 'data');
    expect(await ended).toBe(status.OK);
    call.cancel();
    await expectServed('OK', 1);
  });

  it('is measured as its span says', async () => {
    const before = await Scrape.of(metricsUrl);
    const labels = { rpc_method: 'test.Echo/Bidi', rpc_status_code: 'CANCELLED' };
    const { call, ended } = begin('bidi', 'completes');
    call.write({ text: 'a' });
    await once(call as never, 'data');
    call.cancel();
    await ended;
    await expectServed('CANCELLED', 1);
    const after = await Scrape.of(metricsUrl);
    const count = (scrape: Scrape) => scrape.value(`${SERVER}_count`, labels) ?? 0;
    expect(count(after) - count(before)).toBe(1);
    const active = { rpc_method: 'test.Echo/Bidi' };
    expect(after.find('rpc_server_active_calls', active).map(({ value }) => value)).toEqual([0]);
  });
});
