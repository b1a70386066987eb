import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { status, type ServiceError } from '@grpc/grpc-js';
import { SpanKind } from '@opentelemetry/api';
import { catchError, concat, firstValueFrom, lastValueFrom, NEVER, of, take, toArray } from 'rxjs';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import { frame, RawGrpcCall } from '../support/raw-grpc-call.js';
import { ask, calls, EchoController, reached, released } from '../support/scripted-echo.js';
import { failed, handler, rpcCall, rpcServer } from '../support/trace-tree.js';

const isServers = ({ kind }: { kind: number }) => kind === SpanKind.SERVER;
const settled = catchError((error: ServiceError) => of(`${error.code} ${error.details}`));

describe('a server', () => {
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await startGrpcApp({ controllers: [EchoController] });
  });
  afterAll(() => grpc.close());

  const unary = (headers?: Record<string, string>) => RawGrpcCall.start(grpc.port, '/test.Echo/Unary', headers);

  it('says who called what', async () => {
    await lastValueFrom(grpc.echo.unary({}, ask('answers')));
    await grpc.traces.until((spans) => spans.length === 3);
    const { attributes } = grpc.traces.take().find(isServers)!;
    expect(attributes).toEqual({
      'rpc.system.name': 'grpc',
      'rpc.method': 'test.Echo/Unary',
      'rpc.status_code': 'OK',
      'server.address': '127.0.0.1',
      'server.port': grpc.port,
      'client.address': '127.0.0.1',
      'network.peer.address': '127.0.0.1',
      'network.peer.port': expect.any(Number),
    });
  });

  it.each(Object.entries(status).filter(([name, code]) => typeof code === 'number' && name !== 'OK'))(
    'has the status its handler chose: %s',
    async (name, code) => {
      const metadata = ask('refuses');
      metadata.set('code', String(code));
      await expect(lastValueFrom(grpc.echo.unary({}, metadata).pipe(settled))).resolves.toBe(`${code} none such`);
      const exception = 'RpcException: none such';
      await grpc.traces.expect(
        rpcCall('test.Echo/Unary', `${name}: none such`, failed(handler('EchoController.unary'), exception)),
      );
    },
  );

  it('tells a deadline from a cancellation, also when many come at once', async () => {
    const statuses: Promise<unknown>[] = [];
    for (let round = 0; round < 20; round++) {
      const waiting = firstValueFrom(reached.pipe(take(5), toArray()));
      const given = { deadline: Date.now() + 3000 };
      for (let n = 0; n < 5; n++) statuses.push(lastValueFrom(calls.serverStream(grpc.echo, given).pipe(settled)));
      await waiting;
    }
    expect(await Promise.all(statuses)).toEqual(statuses.map(() => expect.stringMatching(/^4 /)));
    await grpc.traces.until((spans) => spans.length === 300);
    const served = grpc.traces.take().filter(isServers);
    const ends = served.map((span) => `${String(span.attributes['rpc.status_code'])} ${span.status.message}`);
    expect(ends).toEqual(Array.from({ length: 100 }, () => 'DEADLINE_EXCEEDED Deadline exceeded'));
  });

  it('tells a cancellation from a deadline', async () => {
    for (let round = 0; round < 100; round++) {
      const waiting = firstValueFrom(reached);
      const subscription = calls.serverStream(grpc.echo, { deadline: Date.now() + 60_000 }).subscribe();
      await waiting;
      subscription.unsubscribe();
    }
    await grpc.traces.until((spans) => spans.length === 300);
    const served = grpc.traces.take().filter(isServers);
    expect(served.map((span) => span.attributes['rpc.status_code'])).toEqual(Array(100).fill('CANCELLED'));
  });

  it('has no handler for a method that is declared', async () => {
    await expect(lastValueFrom(grpc.echo.missing({}).pipe(settled))).resolves.toMatch(/^12 /);
    const code = 'UNIMPLEMENTED: The server does not implement the method Missing';
    await grpc.traces.expect(rpcCall('test.Echo/Missing', code));
  });

  it('does not see a method that is not declared: grpc-js asks no interceptor', async () => {
    const call = RawGrpcCall.start(grpc.port, '/test.Echo/Nothing').end();
    await expect(call.status()).resolves.toMatch(/^12 /);
    await lastValueFrom(grpc.plain.missing({}).pipe(settled));
    const code = 'UNIMPLEMENTED: The server does not implement the method Missing';
    await grpc.traces.expect(rpcServer('test.Echo/Missing', code));
  });

  it.each([
    ['cannot be read', () => unary().write(frame(Buffer.from([0xff]))), 'INTERNAL: Error deserializing request'],
    ['is missing', () => unary(), /^UNIMPLEMENTED: Received no request message/],
    [
      'comes twice',
      () =>
        unary()
          .write(frame(Buffer.alloc(0)))
          .write(frame(Buffer.alloc(0))),
      /^UNIMPLEMENTED: Received a second/,
    ],
    [
      'is compressed in a way unknown',
      () => unary({ 'grpc-encoding': 'br' }).write(frame(Buffer.alloc(1), true)),
      /^UNIMPLEMENTED: Received message compressed with unsupported encoding/,
    ],
    [
      'is compressed and broken',
      () => unary({ 'grpc-encoding': 'gzip' }).write(frame(Buffer.alloc(9), true)),
      'INTERNAL: Failed to decompress message',
    ],
    [
      'is too large',
      () => unary().write(frame(Buffer.alloc(5_000_000))),
      /^RESOURCE_EXHAUSTED: Received message larger/,
    ],
  ] as const)('is sent a message that %s', async (_what, send, expected) => {
    const [code, details] = (await send().end().status()).split(/ (.*)/s);
    const text = `${status[Number(code)]}: ${details}`;
    expect(text).toMatch(expected);
    await grpc.traces.expect(rpcServer('test.Echo/Unary', text));
  });

  it('is sent a timeout that is none', async () => {
    const call = unary({ 'grpc-timeout': 'soon' }).write(frame(Buffer.alloc(0)));
    await expect(call.end().status()).resolves.toBe('13 Invalid grpc-timeout value "soon"');
    await grpc.traces.expect(rpcServer('test.Echo/Unary', 'INTERNAL: Invalid grpc-timeout value "soon"'));
  });

  it('loses its client', async () => {
    const waiting = firstValueFrom(reached);
    const call = RawGrpcCall.start(grpc.port, '/test.Echo/ServerStream')
      .write(frame(Buffer.alloc(0)))
      .end();
    await waiting;
    await call.vanish();
    await grpc.traces.expect(rpcServer('test.Echo/ServerStream', 'CANCELLED', handler('EchoController.serverStream')));
  });

  it('has lost its client before it came to its handler', async () => {
    const call = unary();
    await grpc.traces.untilOpen(1);
    await call.vanish();
    await grpc.traces.expect(rpcServer('test.Echo/Unary', 'CANCELLED'));
  });

  it.each([
    ['answers', undefined],
    ['throws', 'Error: broke'],
  ] as const)('has a handler that %s when the client no longer waits', async (script, exception) => {
    const metadata = ask(script);
    metadata.set('after', 'release');
    const waiting = firstValueFrom(reached);
    const subscription = grpc.echo.unary({}, metadata).subscribe({ error: () => {} });
    await waiting;
    subscription.unsubscribe();
    await grpc.traces.until((spans) => spans.some(isServers), 'the server to notice');
    released.next();
    const handled = handler('EchoController.unary');
    await grpc.traces.expect(
      rpcCall('test.Echo/Unary', 'CANCELLED: Cancelled on client', exception ? failed(handled, exception) : handled),
    );
  });
});

describe('what a handler sends', () => {
  const huge = { text: 'x'.repeat(2000) };
  @Controller()
  class SendingController {
    @GrpcMethod('Echo', 'Unary')
    unary({ text }: Message) {
      if (text === 'twice') return of({ text: 'one' }, { text: 'two' });
      return text === 'huge' ? huge : { count: 'much' as unknown as number, text: { toString: null } as never };
    }
    @GrpcMethod('Echo', 'ServerStream')
    serverStream({ text }: Message) {
      return concat(of({ text: 'fits' }), of(text === 'huge' ? huge : ({ text: { toString: null } } as never)), NEVER);
    }
  }
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await startGrpcApp({
      controllers: [SendingController],
      server: { channelOptions: { 'grpc.max_send_message_length': 1000 } },
    });
  });
  afterAll(() => grpc.close());

  it.each([
    ['Unary', 'huge', 'RESOURCE_EXHAUSTED: Sent message larger than max (2008 vs. 1000)'],
    ['Unary', 'wrong', 'INTERNAL: Error serializing response'],
    ['ServerStream', 'huge', 'RESOURCE_EXHAUSTED: Sent message larger than max (2008 vs. 1000)'],
    ['ServerStream', 'wrong', 'INTERNAL: Error serializing response'],
  ] as const)('%s: what is %s is refused by grpc-js', async (method, text, code) => {
    const call = method === 'Unary' ? grpc.echo.unary({ text }) : grpc.echo.serverStream({ text });
    await expect(lastValueFrom(call.pipe(settled))).resolves.toMatch(/^(8|13) /);
    const handled = handler(`SendingController.${method[0]!.toLowerCase()}${method.slice(1)}`);
    await grpc.traces.expect(rpcCall(`test.Echo/${method}`, code, handled));
  });

  it('twice where once is meant ends the call once', async () => {
    // { text: 'twice' }; a client of grpc-js would wait for ever.
    const request = frame(Buffer.from('\n\x05twice'));
    const call = RawGrpcCall.start(grpc.port, '/test.Echo/Unary').write(request).end();
    await expect(call.status()).resolves.toBe('0 OK');
    await grpc.traces.expect(rpcServer('test.Echo/Unary', 'OK', handler('SendingController.unary')));
  });
});
