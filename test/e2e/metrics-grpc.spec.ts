import { afterEach, describe, expect, it } from '@jest/globals';
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { grpcTracingInterceptor, NoSpan, type TracingOptions } from 'nestjs-tracing';
import { Controller } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { catchError, lastValueFrom, of, take, type Observable } from 'rxjs';
import { EchoClient } from '../support/echo-server.js';
import { freePort } from '../support/free-port.js';
import { grpcHosts, startGrpcApp, type Echo, type GrpcApp, type GrpcHost } from '../support/grpc-app.js';
import { Scrape } from '../support/scrape.js';
import { ask, calls, EchoController, reached, released } from '../support/scripted-echo.js';
import { untraced } from '../support/http-app.js';

const SERVER = 'rpc_server_call_duration_seconds';
const CLIENT = 'rpc_client_call_duration_seconds';

const types = [
  ['unary', 'Unary', 'unary'],
  ['serverStream', 'ServerStream', 'server_stream'],
  ['clientStream', 'ClientStream', 'client_stream'],
  ['bidi', 'Bidi', 'bidi_stream'],
] as const satisfies [keyof Echo, string, string][];

const settled = <T>(call: Observable<T>) =>
  lastValueFrom(call.pipe(catchError((error: ServiceError) => of(error.code))));

@Controller()
class QuietController {
  @GrpcMethod('Echo', 'Unary')
  @NoSpan()
  unary(): object {
    return {};
  }
}

describe('metrics of gRPC calls', () => {
  let grpc: GrpcApp;
  let url: string;

  async function start(
    { host = 'microservice', ...tracing }: Omit<TracingOptions, 'exporter'> & { host?: GrpcHost } = {},
    controller: typeof EchoController | typeof QuietController = EchoController,
  ): Promise<void> {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/metrics`;
    const metrics = { port, host: '127.0.0.1', defaultMetrics: false };
    grpc = await startGrpcApp({
      host,
      controllers: [controller],
      tracing: { http: { client: false }, metrics, ...tracing },
    });
  }
  afterEach(() => grpc.close());

  const scrape = () => untraced(() => Scrape.of(url));
  const counted = (name: string, count: number) => Scrape.counted(url, name, count);

  it.each(grpcHosts)('count calls of all four types on both sides, in a %s', async (host) => {
    await start({ host });
    for (const [call] of types) await lastValueFrom(calls[call](grpc.echo, ask('answers')));
    const found = await counted(SERVER, 4);
    const ok = { rpc_system_name: 'grpc', rpc_status_code: 'OK' };
    const methods = types.map(([, method]) => `test.Echo/${method}`);
    const labelled = (more: object) => methods.map((rpc_method) => Object.assign({ rpc_method }, ok, more));
    expect(found.labels(`${SERVER}_count`)).toEqual(labelled({}));
    const server_port = String(grpc.port);
    expect(found.labels(`${CLIENT}_count`)).toEqual(labelled({ server_address: '127.0.0.1', server_port }));
  });

  it('lead to the spans of both sides, whose durations are the values', async () => {
    await start();
    await lastValueFrom(grpc.echo.unary({}, ask('answers')));
    const found = await counted(SERVER, 1);
    await grpc.traces.until((spans) => spans.length === 3);
    for (const [name, kind] of [
      [SERVER, 1],
      [CLIENT, 2],
    ] as const) {
      const span = grpc.traces.spans.find((it) => it.kind === kind)!;
      const [{ exemplar } = { exemplar: undefined }] = found.exemplars(`${name}_bucket`);
      expect(exemplar!.labels).toEqual({ trace_id: span.spanContext().traceId, span_id: span.spanContext().spanId });
      expect(exemplar!.value).toBeCloseTo(span.duration[0] + span.duration[1] / 1e9, 9);
    }
  });

  it('name the error that each side is to blame for', async () => {
    await start();
    for (const code of [status.NOT_FOUND, status.INTERNAL]) {
      const metadata = ask('refuses');
      metadata.set('code', String(code));
      expect(await settled(grpc.echo.unary({}, metadata))).toBe(code);
    }
    expect(await settled(grpc.echo.unary({}, ask('answers', 'forbids')))).toBe(status.PERMISSION_DENIED);
    expect(await settled(grpc.echo.missing({}))).toBe(status.UNIMPLEMENTED);
    const found = await counted(SERVER, 4);
    const errors = (name: string) =>
      Object.fromEntries(found.labels(`${name}_count`).map((it) => [it.rpc_status_code, it.error_type]));
    expect(errors(SERVER)).toEqual({
      NOT_FOUND: undefined,
      INTERNAL: 'INTERNAL',
      PERMISSION_DENIED: undefined,
      UNIMPLEMENTED: 'UNIMPLEMENTED',
    });
    expect(errors(CLIENT)).toEqual({
      NOT_FOUND: 'NOT_FOUND',
      INTERNAL: 'INTERNAL',
      PERMISSION_DENIED: 'PERMISSION_DENIED',
      UNIMPLEMENTED: 'UNIMPLEMENTED',
    });
  });

  it.each(types)('know the %s calls that are in flight, and how they were cancelled', async (call, method, type) => {
    await start();
    const waiting = lastValueFrom(reached.pipe(take(1)));
    const subscription = calls[call](grpc.echo, ask('waits')).subscribe({ error: () => {} });
    await waiting;
    const inFlight = { rpc_method: `test.Echo/${method}`, rpc_grpc_call_type: type };
    const during = await scrape();
    expect(during.value('rpc_server_active_calls', inFlight)).toBe(1);
    expect(during.value('rpc_client_active_calls', inFlight)).toBe(1);
    subscription.unsubscribe();
    const after = await counted(SERVER, 1);
    expect(after.value('rpc_server_active_calls', inFlight)).toBe(0);
    expect(after.value('rpc_client_active_calls', inFlight)).toBe(0);
    expect(after.labels(`${SERVER}_count`).map((it) => [it.rpc_status_code, it.error_type])).toEqual([
      ['CANCELLED', undefined],
    ]);
    released.next();
  });

  it('count calls that the sampler drops, and have no exemplar of them', async () => {
    await start({ sampler: 'always_off' });
    await lastValueFrom(grpc.echo.unary({}, ask('answers')));
    const waiting = lastValueFrom(reached.pipe(take(1)));
    const subscription = grpc.echo.serverStream({}, ask('waits')).subscribe({ error: () => {} });
    await waiting;
    subscription.unsubscribe();
    const found = await counted(SERVER, 2);
    expect(found.value(`${SERVER}_count`, { rpc_status_code: 'OK' })).toBe(1);
    expect(found.value(`${SERVER}_count`, { rpc_status_code: 'CANCELLED' })).toBe(1);
    expect(found.value(`${CLIENT}_count`, { rpc_status_code: 'OK' })).toBe(1);
    expect(found.samples.filter(({ exemplar }) => exemplar)).toEqual([]);
    released.next();
  });

  it('count the calls of a handler with @NoSpan(), and have an exemplar of the client only', async () => {
    await start({}, QuietController);
    await lastValueFrom(grpc.echo.unary({}));
    const found = await counted(SERVER, 1);
    expect(found.exemplars(`${SERVER}_bucket`)).toEqual([]);
    expect(found.exemplars(`${CLIENT}_bucket`)).toHaveLength(1);
  });

  it('do not count calls that are ignored', async () => {
    await start({ grpc: { ignore: 'test.Echo/Unary' } });
    await lastValueFrom(grpc.echo.unary({}, ask('answers')));
    await lastValueFrom(grpc.echo.serverStream({}, ask('answers')));
    const found = await counted(SERVER, 1);
    expect(found.labels(`${SERVER}_count`).map(({ rpc_method }) => rpc_method)).toEqual(['test.Echo/ServerStream']);
    expect(found.labels(`${CLIENT}_count`).map(({ rpc_method }) => rpc_method)).toEqual(['test.Echo/ServerStream']);
  });

  it('count the calls of clients that Nest does not know of', async () => {
    await start();
    const client = new EchoClient(grpc.address, credentials.createInsecure(), {
      interceptors: [grpcTracingInterceptor()],
    });
    await new Promise<void>((resolve) => client.unary!({}, ask('answers'), () => resolve()));
    client.close();
    const found = await counted(SERVER, 1);
    expect(found.value(`${CLIENT}_count`, { rpc_method: 'test.Echo/Unary' })).toBe(1);
  });
});
