import { afterEach, describe, expect, it } from '@jest/globals';
import { makeGenericClientConstructor, Metadata, type Client, credentials } from '@grpc/grpc-js';
import { grpcTracingInterceptor, type GrpcCall, type GrpcOptions, type TracingOptions } from 'nestjs-tracing';
import { from, lastValueFrom } from 'rxjs';
import { callEcho, echoClient } from '../support/echo-calls.js';
import { call, startGrpcClientApp, type GrpcClientApp } from '../support/grpc-client-app.js';

let grpc: GrpcClientApp;
const clients: Client[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await grpc.close();
});

const start = async (options: TracingOptions['grpc']) =>
  (grpc = await startGrpcClientApp({ tracing: { ...(options !== undefined && { grpc: options }) } }));

const metadata = new Metadata();
metadata.set('x-kind', 'probe');
metadata.set('authorization', 'Bearer secret');
metadata.set('x-kind-bin', Buffer.from([0xff, 0]));

describe('grpc.ignore', () => {
  const ask = async () => {
    await lastValueFrom(grpc.echo.unary({}, metadata));
    const unary = grpc.server.lastMetadata.get('traceparent').length;
    await lastValueFrom(grpc.echo.serverStream({ count: 1 }));
    return [unary, grpc.server.lastMetadata.get('traceparent').length];
  };

  it.each<[string, GrpcOptions['ignore']]>([
    ['a name', 'test.Echo/Unary'],
    ['a name with *', '*/Unary'],
    ['a list', ['other.Service/*', 'test.Echo/Unary']],
    ['a regular expression', /Unary$/],
    ['a function', ({ method }) => method === 'test.Echo/Unary'],
    ['a function of metadata', (it) => it.metadata.get('x-kind')[0] === 'probe'],
  ])('by %s leaves calls out, and sends nothing with them', async (_name, ignore) => {
    await start({ ignore: ignore! });
    expect(await ask()).toEqual([0, 1]);
    await grpc.traces.expect(call('ServerStream'));
  });

  it('by a function sees the method, the side and the metadata of the caller', async () => {
    const seen: GrpcCall[] = [];
    await start({ ignore: (it) => seen.push(it) < 0 });
    await lastValueFrom(grpc.echo.unary({}, metadata));
    expect(seen).toEqual([{ method: 'test.Echo/Unary', side: 'client', metadata }]);
  });

  it('by a function that throws traces the call, and says so', async () => {
    await start({
      ignore: () => {
        throw new Error('cannot say');
      },
    });
    expect(await ask()).toEqual([1, 1]);
    await grpc.traces.expect(call('Unary'), call('ServerStream'));
    expect(grpc.warnings.take()).toEqual(['grpc.ignore threw and was ignored: Error: cannot say']);
  });

  it('leaves the span of the caller active, and what it does next', async () => {
    await start({ ignore: 'test.Echo/Unary' });
    await grpc.caller(async () => {
      await lastValueFrom(grpc.echo.unary({}));
      await lastValueFrom(grpc.echo.serverStream({}), { defaultValue: {} });
    });
    await grpc.traces.expect({ name: 'caller', children: [call('ServerStream')] });
  });

  it('counts for calls that cannot begin', async () => {
    await start({});
    const client = echoClient(grpc.server.address, { interceptors: [grpcTracingInterceptor({ ignore: '*/Unary' })] });
    client.close();
    expect(() => callEcho(client, 'unary')).toThrow('Channel has been shut down');
    expect(() => callEcho(client, 'bidi')).toThrow('Channel has been shut down');
    await grpc.traces.until((spans) => spans.length > 0);
    expect(grpc.traces.take().map((span) => span.name)).toEqual(['test.Echo/Bidi']);
  });
});

describe('calls of built-in services', () => {
  const identity = (value: unknown) => value as Buffer;
  const health = (interceptor = grpcTracingInterceptor()) => {
    const method = {
      requestStream: false,
      responseStream: false,
      requestSerialize: identity,
      requestDeserialize: identity,
    };
    const Health = makeGenericClientConstructor(
      {
        check: {
          ...method,
          path: '/grpc.health.v1.Health/Check',
          responseSerialize: identity,
          responseDeserialize: identity,
        },
      },
      'Health',
    );
    const client = new Health(grpc.server.address, credentials.createInsecure(), { interceptors: [interceptor] });
    clients.push(client);
    return new Promise((resolve) =>
      (client as unknown as { check: (...args: unknown[]) => void }).check(Buffer.of(), resolve),
    );
  };

  it.each([
    [undefined, []],
    [{ builtInServices: true }, ['grpc.health.v1.Health/Check']],
  ])('are traced with %j: %j', async (options, expected) => {
    await start({});
    await health(grpcTracingInterceptor(options));
    expect(grpc.traces.take().map((span) => span.name)).toEqual(expected);
  });
});

describe('grpc.requestMetadata and grpc.responseMetadata', () => {
  it('record what is asked for and there', async () => {
    await start({
      requestMetadata: ['x-kind', 'x-kind-bin', 'authorization', 'x-absent'],
      responseMetadata: ['x-header', 'X-Trailer', 'x-absent'],
    });
    for (const message of [{}, { text: 'fail', count: 5 }]) {
      await lastValueFrom(grpc.echo.unary(message, metadata)).catch(() => {});
    }
    const attributes = {
      'rpc.request.header.x-kind': ['probe'],
      'rpc.request.header.x-kind-bin': ['/wA='],
      'rpc.request.header.authorization': ['REDACTED'],
      'rpc.request.header.x-absent': undefined,
      'rpc.response.header.x-header': ['first'],
      'rpc.response.trailer.x-trailer': ['last'],
      'rpc.response.header.x-trailer': undefined,
      'rpc.response.header.x-absent': undefined,
    };
    await grpc.traces.expect(
      call('Unary', 'OK', '', { attributes }),
      call('Unary', 'NOT_FOUND', 'as you wish', { attributes }),
    );
  });
});

describe('grpc.messageEvents', () => {
  it.each([
    [undefined, []],
    [{ messageEvents: false }, []],
    [{ messageEvents: true }, ['rpc.message SENT 1', 'rpc.message RECEIVED 1', 'rpc.message RECEIVED 2']],
  ])('%j notes of a stream %j', async (options, expected) => {
    await start(options);
    await lastValueFrom(grpc.echo.serverStream({ count: 2 }));
    const [span] = grpc.traces.take();
    const events = span!.events.map(
      ({ name, attributes = {} }) =>
        `${name} ${String(attributes['rpc.message.type'])} ${String(attributes['rpc.message.id'])}`,
    );
    expect(events).toEqual(expected);
  });

  it('notes both directions, and nothing of calls without a stream', async () => {
    await start({ messageEvents: true });
    await lastValueFrom(grpc.echo.bidi(from([{ text: 'a' }, { text: 'b' }])));
    await lastValueFrom(grpc.echo.clientStream(from([{ text: 'a' }, { text: 'b' }])));
    await lastValueFrom(grpc.echo.unary({}));
    const count = (n: number) => Array.from({ length: n }, () => 'rpc.message');
    await grpc.traces.expect(
      call('Bidi', 'OK', '', { events: count(4) }),
      call('ClientStream', 'OK', '', { events: count(3) }),
      call('Unary'),
    );
  });
});

describe('where gRPC is not traced', () => {
  it.each([
    ['grpc: false', { grpc: false }],
    ['enabled: false', { enabled: false }],
  ] as const)('nothing is done with clients: %s', async (_name, tracing) => {
    grpc = await startGrpcClientApp({ tracing });
    await lastValueFrom(grpc.echo.unary({}, metadata));
    expect(grpc.server.lastMetadata.get('traceparent')).toEqual([]);
    await grpc.traces.expect();
  });
});
