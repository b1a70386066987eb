import { once, type EventEmitter } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod, RpcException } from '@nestjs/microservices';
import {
  Metadata,
  status,
  type Client,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServiceError,
} from '@grpc/grpc-js';
import { trace, SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span } from 'nestjs-tracing';
import {
  catchError,
  concat,
  finalize,
  lastValueFrom,
  NEVER,
  of,
  Subject,
  tap,
  throwError,
  type Observable,
} from 'rxjs';
import { echoClient, echoMethods } from '../support/echo-calls.js';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';

/** The trace that was active at each event of the call's objects. Undefined if no span was active. */
let heard: Record<string, Set<string | undefined>> = {};
let over = new Subject<string>();

function note(event: string): void {
  const span = trace.getActiveSpan() as Partial<ReadableSpan> | undefined;
  (heard[event] ??= new Set()).add(span?.spanContext?.().traceId);
  over.next(event);
}

const EVENTS = ['data', 'end', 'cancelled', 'error', 'finish', 'drain', 'close', 'pause', 'resume'];

function listenTo(call: EventEmitter, ...events: string[]): void {
  for (const event of events) call.on(event, () => note(event));
}

@Controller()
class ListeningController {
  @GrpcMethod('Echo', 'ServerStream')
  serverStream({ text }: Message, _metadata: Metadata, call: EventEmitter): Observable<Message> {
    listenTo(call, ...EVENTS.slice(2));
    const large = of(...Array.from({ length: 40 }, () => ({ text: 'x'.repeat(10_000) })));
    return (text === 'open' ? concat(large, NEVER) : large).pipe(finalize(() => note('finalize')));
  }
  @GrpcStreamCall('Echo', 'ClientStream')
  clientStream(call: ServerReadableStream<Message, Message>, callback: sendUnaryData<Message>): void {
    listenTo(call, ...EVENTS);
    call.on('end', () => setTimeout(() => callback(null, { text: 'done' }), 1));
  }
  @GrpcStreamCall('Echo', 'Bidi')
  bidi(call: ServerDuplexStream<Message, Message>): void {
    listenTo(call, ...EVENTS);
    call.on('data', ({ text }: Message) => {
      if (text === 'fail') call.emit('error', new RpcException('failed'));
      else call.write({ text: 'x'.repeat(100_000) }, () => note('written'));
    });
    call.on('end', () => setImmediate(() => call.end()));
  }
}

@Controller()
class ObservingController {
  @GrpcStreamMethod('Echo', 'Bidi')
  bidi(messages: Observable<Message>): Observable<Message> {
    return concat(
      messages.pipe(
        tap({ next: () => note('next'), complete: () => note('complete') }),
        finalize(() => note('requests over')),
      ),
      NEVER,
    ).pipe(finalize(() => note('finalize')));
  }
}

describe('the events of a call on the server', () => {
  let grpc: GrpcApp;
  let client: Client;
  const methods = () => echoMethods(client);
  beforeEach(() => {
    heard = {};
    over = new Subject();
  });
  async function start(controller: typeof ListeningController | typeof ObservingController) {
    grpc = await startGrpcApp({ controllers: [controller] });
    client = echoClient(grpc.address);
  }
  async function stop() {
    client.close();
    await grpc.close();
  }

  /** Makes the call, and waits for the last of these events. Returns the id of its trace. */
  async function traceOf(make: () => Promise<unknown>, last: string): Promise<string> {
    grpc.traces.reset();
    const heardLast = new Promise((resolve) => over.subscribe((event) => event === last && resolve(event)));
    await make();
    await heardLast;
    const isServers = ({ kind }: ReadableSpan) => kind === SpanKind.SERVER;
    await grpc.traces.until((spans) => spans.some(isServers));
    return grpc.traces.spans.find(isServers)!.spanContext().traceId;
  }

  async function expectHeard(expected: string[], make: () => Promise<unknown>): Promise<void> {
    // A first call makes the connection, so that its context is not that of the second one.
    const first = await traceOf(make, expected.at(-1)!);
    const second = await traceOf(make, expected.at(-1)!);
    expect(Object.keys(heard)).toEqual(expect.arrayContaining(expected));
    for (const [event, traces] of Object.entries(heard)) {
      if (expected.includes(event)) expect([event, [...traces]]).toEqual([event, [first, second]]);
      expect([event, [...traces].filter((it) => it !== first && it !== second)]).toEqual([event, []]);
    }
  }

  const ignored = () => {};

  describe('handled by the call itself', () => {
    beforeAll(() => start(ListeningController));
    afterAll(stop);

    it('a client stream', () =>
      expectHeard(['resume', 'data', 'end'], () => {
        return new Promise<void>((resolve) => {
          const call = methods().clientStream(() => resolve());
          call.write({ text: 'a' });
          call.end();
        });
      }));

    it('a server stream', () =>
      expectHeard(['drain', 'finalize', 'finish', 'close'], async () => {
        const call = methods().serverStream({});
        call.resume();
        await once(call, 'end');
      }));

    it('a server stream that is cancelled', () =>
      expectHeard(['finalize', 'cancelled', 'close'], async () => {
        const call = methods().serverStream({ text: 'open' }).on('error', ignored);
        await once(call, 'data');
        call.cancel();
      }));

    it('a stream both ways', () =>
      expectHeard(['data', 'written', 'end', 'finish', 'close'], async () => {
        const call = methods().bidi();
        call.write({ text: 'a' });
        await once(call, 'data');
        call.end();
        call.resume();
        await once(call, 'end');
      }));

    it('a stream both ways that is cancelled', () =>
      expectHeard(['data', 'cancelled', 'close'], async () => {
        const call = methods().bidi().on('error', ignored);
        call.write({ text: 'a' });
        await once(call, 'data');
        call.cancel();
      }));

    it('a stream both ways that fails', () =>
      expectHeard(['data', 'error', 'finish', 'close'], async () => {
        const call = methods().bidi().on('error', ignored);
        call.write({ text: 'fail' });
        await new Promise((resolve) => call.on('status', resolve));
      }));
  });

  describe('handled by Observables', () => {
    beforeAll(() => start(ObservingController));
    afterAll(stop);

    it('a stream both ways that is cancelled', () =>
      expectHeard(['next', 'complete', 'requests over', 'finalize'], async () => {
        const call = methods().bidi().on('error', ignored);
        call.write({ text: 'a' });
        await once(call, 'data');
        call.cancel();
      }));
  });
});

describe('a status whose message comes out of record: false', () => {
  const SECRET = 'card 4111 1111 1111 1111 was refused';
  class Cards {
    @Span({ record: false })
    async charge(): Promise<Message> {
      throw new RpcException({ code: status.INTERNAL, message: SECRET });
    }
  }
  const cards = new Cards();
  const wrapped = (error: unknown) =>
    throwError(() => new RpcException({ code: status.INTERNAL, message: `sorry: ${(error as Error).message}` }));

  @Controller()
  class CardsController {
    @GrpcMethod('Echo', 'Unary')
    async unary({ text }: Message): Promise<Message> {
      if (text === 'open') throw new RpcException({ code: status.INTERNAL, message: 'nothing to hide' });
      return cards.charge();
    }
    @GrpcMethod('Echo', 'ServerStream')
    serverStream(): Observable<Message> {
      return concat(of({ text: 'one' }), cards.charge()).pipe(catchError(wrapped));
    }
    @GrpcStreamCall('Echo', 'Bidi')
    bidi(call: ServerDuplexStream<Message, Message>): void {
      call.on('data', () => void cards.charge().catch((error) => call.emit('error', error)));
    }
  }

  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await startGrpcApp({
      controllers: [CardsController],
      tracing: { grpc: { ignore: ({ side }) => side === 'client' } },
    });
  });
  afterAll(() => grpc.close());
  const details = (call: Observable<unknown>) =>
    lastValueFrom(call.pipe(catchError((error: ServiceError) => of(error.details))));

  it.each<[string, () => Observable<unknown>, message: string, isInSpans: boolean]>([
    ['unary', () => grpc.plain.unary({}), SECRET, false],
    // An exception of the application is recorded on the span in which it is thrown.
    ['server stream, wrapped', () => grpc.plain.serverStream({}), `sorry: ${SECRET}`, true],
    ['the call itself', () => grpc.plain.bidi(concat(of({}), NEVER)), SECRET, false],
  ])('reaches the client, and not the span of the call: %s', async (_kind, make, message, isInSpans) => {
    expect(await details(make())).toBe(message);
    await grpc.traces.until((spans) => spans.some((span) => span.kind === SpanKind.SERVER));
    const spans = grpc.traces.take();
    const server = spans.find((span) => span.kind === SpanKind.SERVER)!;
    expect(server.status).toEqual({ code: 2 });
    const recorded = JSON.stringify(spans.map(({ events, attributes, status: it }) => [events, attributes, it]));
    expect(recorded.includes('4111')).toBe(isInSpans);
  });

  it('is recorded where nothing was withheld', async () => {
    await details(grpc.plain.unary({ text: 'open' }));
    await grpc.traces.until((spans) => spans.some((span) => span.kind === SpanKind.SERVER));
    const server = grpc.traces.take().find((span) => span.kind === SpanKind.SERVER)!;
    expect(server.status).toEqual({ code: 2, message: 'nothing to hide' });
  });
});
