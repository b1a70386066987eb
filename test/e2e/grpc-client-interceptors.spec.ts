import { afterEach, describe, expect, it } from '@jest/globals';
import {
  credentials,
  InterceptingCall,
  Metadata,
  status,
  type CallOptions,
  type Client,
  type Interceptor,
} from '@grpc/grpc-js';
import { trace } from '@opentelemetry/api';
import { grpcTracingInterceptor } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';
import { callEcho, echoClient, kinds } from '../support/echo-calls.js';
import { call, startGrpcClientApp, type GrpcClientApp } from '../support/grpc-client-app.js';

let grpc: GrpcClientApp;
const order: string[] = [];
const clients: Client[] = [];

afterEach(async () => {
  order.length = 0;
  for (const client of clients.splice(0)) client.close();
  await grpc.close();
});

async function start(channelOptions: object = {}): Promise<GrpcClientApp> {
  grpc = await startGrpcClientApp({ client: { channelOptions } });
  return grpc;
}

/** Records its name, and whether it runs inside the call's span. */
const noting =
  (name: string): Interceptor =>
  (options, next) => {
    order.push(name);
    return new InterceptingCall(next(options), {
      start(metadata, listener, started) {
        const active = trace.getActiveSpan()?.spanContext().spanId;
        if (active !== String(metadata.get('traceparent')).split('-')[2]) order.push(`${name} outside`);
        started(metadata, listener);
      },
    });
  };

const ask = (options?: object) => lastValueFrom(grpc.echo.unary({ text: 'a' }, new Metadata(), options ?? {}));

describe('interceptors of the application are kept, in order', () => {
  const ofClient = [noting('a'), noting('b')];
  const ofCall = [noting('c'), noting('d')];
  const provided = (interceptors: Interceptor[]) => ({ interceptor_providers: interceptors.map((it) => () => it) });

  it.each<[string, object, object, string[]]>([
    ['of the client', { interceptors: ofClient }, {}, ['a', 'b']],
    ['of the client, by providers', provided(ofClient), {}, ['a', 'b']],
    ['of the call', {}, { interceptors: ofCall }, ['c', 'd']],
    ['of the call, by providers', {}, provided(ofCall), ['c', 'd']],
    ['of the call, in place of the client’s', { interceptors: ofClient }, { interceptors: ofCall }, ['c', 'd']],
    ['of the call, by providers, in place of the client’s', provided(ofClient), provided(ofCall), ['c', 'd']],
    ['of a call whose list is empty', { interceptors: ofClient }, { interceptors: [] }, ['a', 'b']],
    ['of a call whose list is null', { interceptors: ofClient }, { interceptors: null }, ['a', 'b']],
    ['of a provider that has none', {}, { interceptor_providers: [() => undefined] }, []],
  ])('%s', async (_name, channelOptions, options, expected) => {
    await start(channelOptions);
    await ask(options);
    expect(order).toEqual(expected);
    await grpc.traces.expect(call('Unary'));
  });

  it('and so are the credentials of a call, which may fetch a token', async () => {
    await start();
    // grpc-js calls the credentials of the first call when the connection is open, in the context of what has opened it.
    await ask();
    let active: string | undefined;
    const generated = credentials.createFromMetadataGenerator((_parameters, done) => {
      active = trace.getActiveSpan()?.spanContext().spanId;
      done(null, new Metadata());
    });
    await ask({ credentials: generated });
    expect(active).toBe(String(grpc.server.lastMetadata.get('traceparent')).split('-')[2]);
  });

  it('that are both given as they are and by providers are refused as ever', async () => {
    const both = { interceptors: ofClient, ...provided(ofClient) };
    await expect(start(both)).rejects.toThrow('Both interceptors and interceptor_providers were passed as options');
    await start();
    await expect(ask(both)).rejects.toThrow('Both interceptors and interceptor_providers were passed as call options');
    await grpc.traces.expect();
  });

  it('with a callInvocationTransformer, which is called as ever', async () => {
    const seen: unknown[] = [];
    await start({
      callInvocationTransformer(this: unknown, properties: { callOptions: CallOptions; metadata: Metadata }) {
        seen.push((this as object).constructor.name);
        properties.metadata.set('x-transformed', '1');
        return { ...properties, callOptions: { ...properties.callOptions, interceptors: ofCall } };
      },
    });
    await ask();
    expect(seen).toEqual(['ServiceClientImpl']);
    expect(order).toEqual(['c', 'd']);
    expect(grpc.server.lastMetadata.get('x-transformed')).toEqual(['1']);
    await grpc.traces.expect(call('Unary'));
  });

  it('and the options of the client are not written to', async () => {
    const interceptors = Object.freeze([...ofClient]);
    const channelOptions = Object.freeze({ interceptors, 'grpc.max_metadata_size': 9000 });
    await start(channelOptions);
    await ask(Object.freeze({ interceptors: Object.freeze([...ofCall]) }));
    await grpc.traces.expect(call('Unary'));
  });
});

describe('an interceptor of the application', () => {
  it('may rewrite metadata, also that of the trace', async () => {
    const rewriting: Interceptor = (options, next) =>
      new InterceptingCall(next(options), {
        start(metadata, listener, started) {
          metadata.set('x-mine', 'rewritten');
          metadata.remove('traceparent');
          started(metadata, listener);
        },
      });
    await start({ interceptors: [rewriting] });
    const metadata = new Metadata();
    await lastValueFrom(grpc.echo.unary({}, metadata));
    expect(grpc.server.lastMetadata.get('x-mine')).toEqual(['rewritten']);
    expect(grpc.server.lastMetadata.get('traceparent')).toEqual([]);
    await grpc.traces.expect(call('Unary'));
  });

  it('may change what the application is told, and the span says the same', async () => {
    const hiding: Interceptor = (options, next) =>
      new InterceptingCall(next(options), {
        start: (metadata, listener, started) =>
          started(metadata, {
            onReceiveStatus: (it, told) => told({ ...it, code: status.ABORTED, details: 'no' }),
          }),
      });
    await start({ interceptors: [hiding] });
    await expect(ask()).rejects.toMatchObject({ code: status.ABORTED });
    await grpc.traces.expect(call('Unary', 'ABORTED', 'no'));
  });

  it('may cancel', async () => {
    const cancelling: Interceptor = (options, next) => {
      const inner = next(options);
      return new InterceptingCall(inner, {
        start(metadata, listener, started) {
          started(metadata, listener);
          inner.cancelWithStatus(status.PERMISSION_DENIED, 'not you');
        },
      });
    };
    await start({ interceptors: [cancelling] });
    await expect(ask()).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
    await grpc.traces.expect(call('Unary', 'PERMISSION_DENIED', 'not you'));
  });

  const answer = { text: 'cached' };
  const answering: [string, Interceptor][] = [
    [
      'at once',
      (options, next) =>
        new InterceptingCall(next(options), {
          start(_metadata, listener) {
            listener.onReceiveMetadata(new Metadata());
            listener.onReceiveMessage(answer);
            listener.onReceiveStatus({ code: status.OK, details: '', metadata: new Metadata() });
          },
        }),
    ],
    [
      'later',
      (options, next) =>
        new InterceptingCall(next(options), {
          start(_metadata, listener) {
            setImmediate(() => {
              listener.onReceiveMessage(answer);
              listener.onReceiveStatus({ code: status.OK, details: '', metadata: new Metadata() });
            });
          },
        }),
    ],
    [
      'by a call that is made by hand',
      () =>
        ({
          start(_metadata: Metadata, listener: Record<string, (it: unknown) => void>) {
            setImmediate(() => {
              listener.onReceiveMessage!(answer);
              listener.onReceiveStatus!({ code: status.OK, details: '', metadata: null });
            });
          },
          sendMessage() {},
          halfClose() {},
          cancelWithStatus() {},
        }) as unknown as InterceptingCall,
    ],
  ];
  it.each(answering)('may answer %s without calling on', async (_name, cache) => {
    await start({ interceptors: [cache] });
    await expect(ask()).resolves.toEqual(answer);
    expect(grpc.server.received).toEqual([]);
    await grpc.traces.expect(call('Unary'));
  });

  it('may throw', async () => {
    const throwing = (where: 'before' | 'start'): Interceptor => {
      return (options, next) => {
        if (where === 'before') throw new Error('interceptor broke');
        return new InterceptingCall(next(options), {
          start() {
            throw new Error('interceptor broke');
          },
        });
      };
    };
    await start();
    for (const where of ['before', 'start'] as const) {
      await expect(ask({ interceptors: [throwing(where)] })).rejects.toThrow('interceptor broke');
      await grpc.traces.expect({
        name: 'test.Echo/Unary',
        kind: 'CLIENT',
        status: 'ERROR: interceptor broke',
        attributes: { 'error.type': 'Error' },
        events: ['exception Error: interceptor broke'],
      });
    }
  });

  // For example, a token is fetched. By itself, grpc-js does not report the end of a call that it has not started.
  it.each(kinds)('may hold a call back, which its caller gives up meanwhile: %s', async (kind, method) => {
    await start();
    let goOn = () => {};
    const slow: Interceptor = (options, next) =>
      new InterceptingCall(next(options), {
        start: (metadata, listener, started) => (goOn = () => started(metadata, listener)),
      });
    const client = echoClient(grpc.server.address, { interceptors: [grpcTracingInterceptor(), slow] });
    clients.push(client);
    const given = callEcho(client, kind);
    given.call.cancel();
    await grpc.traces.expect(call(method, 'CANCELLED', 'Cancelled on client'));
    goOn();
    const taken = callEcho(client, kind, { count: 1 });
    goOn();
    expect(await taken.ended).toBe('OK');
    await grpc.traces.expect(call(method));
    expect(grpc.server.received).toHaveLength(1);
  });
});
