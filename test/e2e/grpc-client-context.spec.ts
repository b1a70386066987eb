import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InterceptingCall, Metadata, type Client, type Interceptor } from '@grpc/grpc-js';
import { context, propagation, trace, type SpanContext, type TextMapPropagator } from '@opentelemetry/api';
import { grpcTracingInterceptor, type TracingOptions } from 'nestjs-tracing';
import { firstValueFrom, from, lastValueFrom, map, tap, toArray, type Observable } from 'rxjs';
import { isTracingSuppressed, suppressTracing } from '../../lib/core/suppression.js';
import { callEcho, echoClient, echoMethods, kinds, type Kind } from '../support/echo-calls.js';
import { call, startGrpcClientApp, type GrpcClientApp, type GrpcClientAppOptions } from '../support/grpc-client-app.js';
import type { Echo, Message } from '../support/grpc-app.js';

let grpc: GrpcClientApp;
const clients: Client[] = [];

async function start(options: GrpcClientAppOptions = {}): Promise<GrpcClientApp> {
  return (grpc = await startGrpcClientApp(options));
}

function plain(interceptors: Interceptor[] = [grpcTracingInterceptor()]): Client {
  const client = echoClient(grpc.server.address, { interceptors });
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await grpc.close();
});

/** The name of the active span, and true if tracing is suppressed. */
const here = () =>
  isTracingSuppressed(context.active())
    ? 'suppressed'
    : ((trace.getActiveSpan() as { name?: string } | undefined)?.name ?? 'nowhere');

/** Calls that start when they are subscribed to. Nest passes an undefined message on to grpc-js, which rejects it. */
function invoke(kind: Kind, echo: Echo, message: Message, ...metadata: Metadata[]): Observable<Message> {
  if (kind === 'unary' || kind === 'serverStream') return echo[kind](message, ...metadata);
  return echo[kind](from([message]), ...metadata);
}

/** The flags of a sampled trace. The second flag, which says that the id is random, may be set or not. */
const traceparent = ({ traceId, spanId }: SpanContext): unknown =>
  expect.stringMatching(new RegExp(`^00-${traceId}-${spanId}-0[13]$`));

describe('the context of a call', () => {
  beforeEach(() => start());

  it.each(kinds)('is that in which it is subscribed to, and what follows runs there: %s', async (kind, method) => {
    const places: string[] = [];
    const answer = invoke(kind, grpc.echo, { text: 'a', count: 2 });
    const subscribe = () =>
      lastValueFrom(
        answer.pipe(
          map((message) => (places.push(here()), message)),
          tap({ complete: () => places.push(here()), finalize: () => places.push(here()) }),
        ),
      );
    await grpc.caller(subscribe, 'first');
    await grpc.caller(subscribe, 'second');
    expect(new Set(places.slice(0, places.length / 2))).toEqual(new Set(['first']));
    expect(new Set(places.slice(places.length / 2))).toEqual(new Set(['second']));
    const tree = (name: string) => ({ name, children: [call(method)] });
    await grpc.traces.expect(tree('first'), tree('second'));
  });

  it.each(kinds)('is that of errors, too: %s', async (kind, method) => {
    let place = '';
    const failing = invoke(kind, grpc.echo, { text: 'fail', count: 5 });
    const observed = failing.pipe(tap({ error: () => (place = here()) }));
    await grpc.caller(() => expect(lastValueFrom(observed)).rejects.toMatchObject({ code: 5 }));
    expect(place).toBe('caller');
    await grpc.traces.expect({ name: 'caller', children: [call(method, 'NOT_FOUND', 'as you wish')] });
  });

  // The first call makes the connection, and the others wait for it.
  it.each(kinds)('is kept by everything that grpc-js calls back, on a new connection: %s', async (kind, method) => {
    const client = plain();
    const places: [string, string][] = [];
    const one = (name: string) =>
      grpc.caller(async () => {
        const note = () => places.push([name, here()]);
        const echo = callEcho(client, kind, { text: 'a', count: 2 });
        for (const event of ['metadata', 'data', 'end', 'finish', 'close', 'status']) echo.call.on(event, note);
        await echo.ended;
        note();
      }, name);
    const names = ['first', 'second', 'third'];
    await Promise.all(names.map(one));
    expect(places.length).toBeGreaterThan(8);
    expect(places.filter(([name, place]) => name !== place)).toEqual([]);
    await grpc.traces.expect(...names.map((name) => ({ name, children: [call(method)] })));
  });

  it.each([
    ['clientStream', 'ClientStream'],
    ['bidi', 'Bidi'],
  ] as const)('is kept when a message is sent: %s', async (kind, method) => {
    const client = plain();
    const places: [string, string][] = [];
    const one = (name: string) =>
      grpc.caller(async () => {
        const stream = echoMethods(client)[kind](...(kind === 'clientStream' ? [() => {}] : []));
        if (kind === 'bidi') stream.on('data', () => {});
        const ended = new Promise((resolve) => stream.on('status', resolve));
        const sent = () => places.push([name, here()]);
        // The callback of the first call sends the second call.
        await new Promise<void>((resolve) => {
          stream.write({ text: 'a' }, () => (sent(), resolve()));
          stream.write({ text: 'b' }, sent);
        });
        stream.write({ text: 'c' }, sent);
        stream.end();
        await ended;
      }, name);
    const names = ['first', 'second', 'third'];
    await Promise.all(names.map(one));
    expect(places).toHaveLength(9);
    expect(places.filter(([name, place]) => name !== place)).toEqual([]);
    await grpc.traces.expect(...names.map((name) => ({ name, children: [call(method)] })));
  });

  it('does not stay with the connection', async () => {
    await grpc.caller(() => lastValueFrom(grpc.echo.unary({})), 'first');
    grpc.traces.take();
    await lastValueFrom(grpc.echo.unary({}));
    await grpc.caller(() => lastValueFrom(grpc.echo.unary({})), 'second');
    await grpc.traces.expect(call('Unary'), { name: 'second', children: [call('Unary')] });
  });

  it('is kept where a call is not traced', async () => {
    const client = plain([grpcTracingInterceptor({ ignore: '*/Bidi' })]);
    const places: Record<string, string> = {};
    const traced = grpc.caller(() => callEcho(client, 'unary').ended);
    const ignored = grpc.caller(() => {
      const echo = callEcho(client, 'bidi', { text: 'a' });
      echo.call.on('data', () => (places.ignored = here()));
      return echo.ended;
    }, 'of the ignored');
    const suppressed = context.with(suppressTracing(context.active()), () => {
      const echo = callEcho(client, 'bidi', { text: 'a' });
      echo.call.on('data', () => (places.suppressed = here()));
      return echo.ended;
    });
    await Promise.all([traced, ignored, suppressed]);
    expect(places).toEqual({ ignored: 'of the ignored', suppressed: 'suppressed' });
    await grpc.traces.expect({ name: 'caller', children: [call('Unary')] }, { name: 'of the ignored' });
  });

  it('is not another request’s among 200 calls at once', async () => {
    const wrong: string[] = [];
    const requests = new AsyncLocalStorage<number>();
    await Promise.all(
      Array.from({ length: 200 }, (_, index) =>
        requests.run(index, () =>
          grpc.caller(async () => {
            const [kind] = kinds[index % 4]!;
            const [other] = kinds[(index + 1) % 4]!;
            const check = () => void (here() === `request ${index}` || wrong.push(`${here()} in ${index}`));
            for (const each of [kind, other]) {
              const metadata = new Metadata();
              metadata.set('x-request', String(index));
              const answer = invoke(each, grpc.echo, { text: 'a', count: 2 }, metadata);
              await lastValueFrom(answer.pipe(tap(check), toArray()));
              check();
            }
          }, `request ${index}`),
        ),
      ),
    );
    expect(wrong).toEqual([]);
    const spans = grpc.traces.take();
    const byId = new Map(spans.map((span) => [span.spanContext().spanId, span]));
    expect(spans).toHaveLength(600);
    for (const { metadata } of grpc.server.received) {
      const [, , spanId] = String(metadata.get('traceparent')).split('-');
      const parent = byId.get(byId.get(spanId!)?.parentSpanContext?.spanId ?? '');
      expect(parent?.name).toBe(`request ${String(metadata.get('x-request'))}`);
    }
  });
});

describe('the trace context', () => {
  const parent = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const remote = () => trace.setSpanContext(context.active(), { ...parent, traceFlags: 1, isRemote: true });
  const received = (key: string) => grpc.server.lastMetadata.get(key);

  const withPropagators = (propagators: TracingOptions['propagators']) => start({ tracing: { propagators } });

  it.each(kinds)('is sent with the id of the call’s own span: %s', async (kind, method) => {
    await start();
    await lastValueFrom(invoke(kind, grpc.echo, { text: 'a', count: 1 }));
    expect(received('traceparent')).toEqual([traceparent(grpc.traces.named(`test.Echo/${method}`).spanContext())]);
  });

  it('is sent with tracestate and baggage', async () => {
    await start();
    const baggage = propagation.createBaggage({ tenant: { value: 'ä 1' } });
    const header = `00-${parent.traceId}-${parent.spanId}-01`;
    const carrier = { traceparent: header, tracestate: 'vendor=1' };
    const active = propagation.setBaggage(propagation.extract(context.active(), carrier), baggage);
    await context.with(active, () => lastValueFrom(grpc.echo.unary({})));
    expect(received('tracestate')).toEqual(['vendor=1']);
    expect(received('baggage')).toEqual(['tenant=%C3%A4%201']);
    await grpc.traces.expect({ ...call('Unary'), caller: parent.spanId });
  });

  it.each<[TracingOptions['propagators'], Record<string, RegExp>]>([
    ['b3', { b3: new RegExp(`^${parent.traceId}-[0-9a-f]{16}-1`) }],
    ['b3multi', { 'x-b3-traceid': new RegExp(parent.traceId), 'x-b3-sampled': /^1$/ }],
    ['jaeger', { 'uber-trace-id': new RegExp(`^${parent.traceId}:[0-9a-f]{16}:0:01`) }],
    ['none', {}],
  ])('is sent as %s', async (propagators, expected) => {
    await withPropagators(propagators);
    await context.with(remote(), () => lastValueFrom(grpc.echo.unary({})));
    const sent = Object.keys(grpc.server.lastMetadata.getMap()).filter((key) => /b3|uber|trace/.test(key));
    expect(sent).toEqual(expect.arrayContaining(Object.keys(expected)));
    for (const [key, value] of Object.entries(expected)) expect(String(received(key))).toMatch(value);
    expect(received('traceparent')).toEqual([]);
    await grpc.traces.expect({ ...call('Unary'), caller: parent.spanId });
  });

  it('takes the place of one that is passed on, in a copy', async () => {
    await start();
    const metadata = new Metadata({ waitForReady: true });
    metadata.set('traceparent', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    metadata.add('traceparent', `00-${'3'.repeat(32)}-${'4'.repeat(16)}-01`);
    metadata.set('tracestate', 'foreign=1');
    metadata.set('baggage', 'mine=1');
    metadata.add('x-mine', 'a');
    metadata.add('x-mine', 'b');
    metadata.set('x-mine-bin', Buffer.from([1, 2]));
    const before = JSON.stringify(metadata.toJSON());
    const ids = new Set<string>();
    for (let index = 0; index < 5; index++) {
      await lastValueFrom(grpc.echo.unary({}, metadata));
      const span = grpc.traces.take()[0]!.spanContext();
      expect(received('traceparent')).toEqual([traceparent(span)]);
      ids.add(span.traceId);
    }
    expect(ids.size).toBe(5);
    expect(received('tracestate')).toEqual([]);
    expect(received('baggage')).toEqual(['mine=1']);
    expect(received('x-mine')).toEqual(['a, b']);
    expect(received('x-mine-bin')).toEqual([Buffer.from([1, 2])]);
    expect(JSON.stringify(metadata.toJSON())).toBe(before);
    expect(metadata.getOptions()).toEqual({ waitForReady: true });
  });

  it.each<[TracingOptions['propagators'], Record<string, string>]>([
    ['b3', { b3: `${'1'.repeat(32)}-${'2'.repeat(16)}-1`, 'x-b3-traceid': '1'.repeat(32) }],
    ['b3multi', { b3: `${'1'.repeat(32)}-${'2'.repeat(16)}-1`, 'x-b3-traceid': '1'.repeat(32) }],
    ['jaeger', { 'uber-trace-id': `${'1'.repeat(32)}:${'2'.repeat(16)}:0:1` }],
    ['xray', { 'x-amzn-trace-id': `Root=1-11111111-${'1'.repeat(24)};Parent=${'2'.repeat(16)};Sampled=1` }],
  ])('takes the place of one that is passed on as %s', async (propagators, passedOn) => {
    await withPropagators(propagators);
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(passedOn)) metadata.set(key, value);
    await lastValueFrom(grpc.echo.unary({}, metadata));
    const { spanId } = grpc.traces.take()[0]!.spanContext();
    const sent = Object.values(grpc.server.lastMetadata.getMap()).join();
    expect(sent).toContain(spanId);
    expect(sent).not.toMatch(/1{16}|2{16}/);
  });

  it.each<[string, TracingOptions['grpc'], (work: () => Promise<unknown>) => Promise<unknown>]>([
    ['is ignored', { ignore: '*' }, (work) => work()],
    ['is suppressed', {}, (work) => context.with(suppressTracing(remote()), work)],
  ])('goes on as it was passed on where a call %s', async (_what, options, around) => {
    await start({ tracing: { grpc: options! } });
    const metadata = new Metadata();
    metadata.set('traceparent', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    await around(() => lastValueFrom(grpc.echo.unary({}, metadata)));
    expect(received('traceparent')).toEqual([`00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`]);
  });

  it('goes on as it was passed on where there is none', async () => {
    await start({ tracing: false });
    const metadata = new Metadata();
    metadata.set('traceparent', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`);
    await callEcho(plain(), 'unary', {}, metadata).ended;
    expect(received('traceparent')).toEqual([`00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`]);
  });

  it('of a trace that is not kept says so', async () => {
    await start({ tracing: { sampler: 'always_off' } });
    await lastValueFrom(grpc.echo.unary({}));
    expect(String(received('traceparent'))).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[02]$/);
    await grpc.traces.expect();
  });

  it('is not sent where tracing is suppressed', async () => {
    await start();
    await context.with(suppressTracing(remote()), () => lastValueFrom(grpc.echo.unary({})));
    expect(received('traceparent')).toEqual([]);
    await grpc.traces.expect();
    await context.with(remote(), () => lastValueFrom(grpc.echo.unary({})));
    expect(received('traceparent')).toEqual([expect.stringContaining(parent.traceId)]);
    await grpc.traces.expect({ ...call('Unary'), caller: parent.spanId });
  });

  it('is not sent there by a propagator that does not know of suppression either', async () => {
    const simple: TextMapPropagator = {
      inject: (_active, carrier, setter) => setter.set(carrier, 'x-simple', '1'),
      extract: (active) => active,
      fields: () => ['x-simple'],
    };
    await withPropagators(simple);
    await lastValueFrom(grpc.echo.unary({}));
    expect(received('x-simple')).toEqual(['1']);
    await context.with(suppressTracing(remote()), () => lastValueFrom(grpc.echo.unary({})));
    expect(received('x-simple')).toEqual([]);
    await grpc.traces.expect(call('Unary'));
  });

  it('may be more than a propagator can say', async () => {
    const failing = {
      inject() {
        throw new Error('cannot');
      },
      extract: (active: ReturnType<typeof context.active>) => active,
      fields: () => [],
    };
    await withPropagators(failing);
    await firstValueFrom(grpc.echo.unary({}));
    await grpc.traces.expect(call('Unary'));
    expect(grpc.warnings.take()).toEqual([expect.stringContaining('propagator threw')]);
  });
});

describe('interceptors of the application', () => {
  it.each(['interceptors', 'interceptor_providers'] as const)(
    'hear of a call in its own context: %s',
    async (where) => {
      const places: [string, string][] = [];
      const noting: Interceptor = (options, next) =>
        new InterceptingCall(next(options), {
          start(metadata, listener, started) {
            const own = String(metadata.get('traceparent')).split('-')[2]!;
            const note = () => places.push([own, trace.getActiveSpan()?.spanContext().spanId ?? 'none']);
            note();
            started(metadata, {
              onReceiveMetadata: (it, go) => (note(), go(it)),
              onReceiveMessage: (it, go) => (note(), go(it)),
              onReceiveStatus: (it, go) => (note(), go(it)),
            });
          },
        });
      const given = where === 'interceptors' ? [noting] : [() => noting];
      await start({ client: { channelOptions: { [where]: given } } });
      await Promise.all([1, 2, 3].map((index) => grpc.caller(() => lastValueFrom(grpc.echo.unary({ count: index })))));
      expect(places).toHaveLength(12);
      expect(places.filter(([own, active]) => own !== active)).toEqual([]);
    },
  );
});
