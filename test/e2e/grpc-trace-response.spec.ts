import { afterEach, describe, expect, it } from '@jest/globals';
import { Client, credentials, Metadata, type ServerUnaryCall, type ServiceError } from '@grpc/grpc-js';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import type { TracingOptions } from 'nestjs-tracing';
import { of } from 'rxjs';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';

const own = new Metadata();
own.set('x-own', 'yes');
const ownId = new Metadata();
ownId.set('x-trace-id', 'mine');

@Controller()
class EchoController {
  @GrpcMethod('Echo', 'Unary')
  unary(_message: Message, request: Metadata, call: ServerUnaryCall<Message, Message>): Message {
    const [want] = request.get('x-want');
    if (want === 'error') throw Object.assign(new Error('no'), { code: 5 });
    if (want === 'own') call.sendMetadata(own);
    if (want === 'own-id') call.sendMetadata(ownId);
    if (want === 'late error') {
      call.sendMetadata(own);
      throw Object.assign(new Error('no'), { code: 5 });
    }
    return {};
  }

  @GrpcMethod('Echo', 'ServerStream')
  serverStream() {
    return of({}, {});
  }
}

describe('response.traceId', () => {
  let grpc: GrpcApp;
  let client: Client;

  afterEach(async () => {
    client.close();
    await grpc.close();
  });

  async function start(options: TracingOptions = { response: { traceId: 'X-Trace-Id' } }) {
    grpc = await startGrpcApp({ controllers: [EchoController], tracing: options });
    client = new Client(grpc.address, credentials.createInsecure());
  }

  /** Calls a method without a client of Nest. Returns the ids that the metadata of the response has, and the other entries. */
  async function call(want: string, headers: Record<string, string> = {}) {
    const request = new Metadata();
    for (const [key, value] of Object.entries({ 'x-want': want, ...headers })) request.set(key, value);
    let initial: Metadata | undefined;
    const same = (bytes: Buffer) => bytes;
    const error = await new Promise<ServiceError | null>((resolve) => {
      client
        .makeUnaryRequest('/test.Echo/Unary', same, same, Buffer.alloc(0), request, (failed) => resolve(failed))
        .on('metadata', (metadata) => (initial = metadata));
    });
    return {
      initial: initial?.get('x-trace-id') ?? [],
      own: initial?.get('x-own') ?? [],
      trailing: error?.metadata.get('x-trace-id') ?? [],
      code: error?.code ?? 0,
    };
  }

  async function serverTraceId(): Promise<string> {
    await grpc.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));
    return grpc.traces
      .take()
      .find(({ kind }) => kind === SpanKind.SERVER)!
      .spanContext().traceId;
  }

  it.each<[string, object]>([
    ['success', { own: [], code: 0 }],
    ['own', { own: ['yes'], code: 0 }],
    ['late error', { own: ['yes'], code: 2 }],
  ])('is in the initial metadata: %s', async (want, expected) => {
    await start();
    const told = await call(want);
    expect(told).toEqual({ initial: [await serverTraceId()], trailing: [], ...expected });
    // The application's object is as it was.
    expect(own.get('x-trace-id')).toEqual([]);
  });

  it('is in the trailing metadata of a call that has sent none', async () => {
    await start();
    const told = await call('error');
    expect(told).toEqual({ initial: [], trailing: [await serverTraceId()], own: [], code: 2 });
  });

  it('keeps the metadata of the application', async () => {
    await start();
    expect(await call('own-id')).toMatchObject({ initial: ['mine'] });
  });

  it('is that of a caller whose trace is not sampled', async () => {
    await start();
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
    expect(await call('success', { traceparent })).toMatchObject({ initial: ['0af7651916cd43dd8448eb211c80319c'] });
  });

  it.each<[string, TracingOptions]>([
    ['by default', {}],
    ['for an ignored call', { grpc: { ignore: 'test.Echo/*' }, response: { traceId: 'x-trace-id' } }],
  ])('is not sent %s', async (_when, options) => {
    await start(options);
    expect(await call('success')).toEqual({ initial: [], trailing: [], own: [], code: 0 });
    expect(await call('error')).toMatchObject({ initial: [], trailing: [] });
  });
});
