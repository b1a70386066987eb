import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Injectable, UseGuards, type CanActivate } from '@nestjs/common';
import { GrpcMethod, GrpcStreamMethod, Payload } from '@nestjs/microservices';
import { Metadata, type ServerUnaryCall } from '@grpc/grpc-js';
import { propagation, trace, type Span as OtelSpan, SpanKind } from '@opentelemetry/api';
import { Baggage, CurrentSpan, NoSpan, Span, SpanAttribute, TracingService, type GrpcOptions } from 'nestjs-tracing';
import { concatMap, from, lastValueFrom, of, tap, toArray, type Observable } from 'rxjs';
import { setDiagnosticsSink } from '../../lib/core/diagnostics.js';
import { startGrpcApp, type Echo, type GrpcApp, type GrpcAppOptions, type Message } from '../support/grpc-app.js';
import { frame, RawGrpcCall } from '../support/raw-grpc-call.js';
import { handler, rpcServer, type ExpectedSpan } from '../support/trace-tree.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const traceparent = (flags: string) => `00-${TRACE}-${CALLER}-${flags}`;

@Injectable()
class WorkService {
  constructor(@Inject(TracingService) private readonly tracing: TracingService) {}

  /** Does traced work. Returns the headers that a call to another service would get. */
  @Span('work')
  work(): Message {
    return { text: JSON.stringify(this.tracing.inject<Record<string, string>>({})) };
  }
}

@Injectable()
class BusyGuard implements CanActivate {
  canActivate() {
    trace.getTracer('guard').startSpan('guard').end();
    return true;
  }
}

@Controller()
class EchoController {
  constructor(@Inject(WorkService) private readonly service: WorkService) {}

  @GrpcMethod('Echo', 'Unary')
  @UseGuards(BusyGuard)
  unary(_message: Message, _metadata: Metadata, call: ServerUnaryCall<Message, Message>): Message {
    const answer = new Metadata();
    answer.set('x-answer', '42');
    answer.set('x-api-key', 'secret');
    answer.set('x-bytes-bin', Buffer.from([1, 2, 255]));
    call.sendMetadata(answer);
    return this.service.work();
  }
  @GrpcMethod('Echo', 'ServerStream')
  serverStream(): Observable<Message> {
    return of(1, 2, 3).pipe(concatMap(async () => this.service.work()));
  }
  @GrpcStreamMethod('Echo', 'Bidi')
  @NoSpan()
  bidi(messages: Observable<Message>): Observable<Message> {
    return messages.pipe(concatMap(async () => this.service.work()));
  }
  @GrpcStreamMethod('Echo', 'ClientStream')
  clientStream(messages: Observable<Message>): Observable<Message> {
    return messages.pipe(
      toArray(),
      concatMap(async () => this.service.work()),
    );
  }
}

@NoSpan()
@Controller()
class SilentController extends EchoController {}

describe('options of a gRPC server', () => {
  let grpc: GrpcApp;
  const warnings: string[] = [];

  afterEach(async () => {
    setDiagnosticsSink();
    warnings.length = 0;
    await grpc.close();
  });

  async function start(options: GrpcOptions | false, more: GrpcAppOptions = {}): Promise<GrpcApp> {
    const { tracing, ...rest } = more;
    grpc = await startGrpcApp({
      controllers: [EchoController],
      providers: [WorkService],
      tracing: { grpc: options, ...tracing },
      ...rest,
    });
    setDiagnosticsSink({ warn: (message) => warnings.push(message) });
    return grpc;
  }

  const carried = async (call: Observable<Message>): Promise<Record<string, string>> =>
    JSON.parse((await lastValueFrom(call)).text!) as Record<string, string>;
  const withMetadata = (entries: Record<string, string | Buffer>): Metadata => {
    const metadata = new Metadata();
    for (const [key, value] of Object.entries(entries)) metadata.set(key, value);
    return metadata;
  };
  const work: ExpectedSpan = { name: 'work' };
  const guard: ExpectedSpan = { name: 'guard' };
  const unary = (details: Omit<Parameters<typeof rpcServer>[1] & object, 'code'> = {}) =>
    rpcServer('test.Echo/Unary', { code: 'OK', ...details }, guard, handler('EchoController.unary', work));

  it.each<[string, GrpcOptions['ignore']]>([
    ['a name', 'test.Echo/Unary'],
    ['a pattern', 'test.*/Un*'],
    ['a list', ['other.Service/*', 'test.Echo/Unary']],
    ['a regular expression that keeps state', /unary/gi],
    [
      'a function',
      ({ method, side, metadata }) => side === 'server' && method.endsWith('Unary') && metadata.get('x').length === 0,
    ],
  ])('ignore: %s leaves a call and everything beneath it untraced', async (_kind, ignore) => {
    await start({ ignore });
    for (let n = 0; n < 2; n++) {
      await expect(carried(grpc.plain.unary({}, withMetadata({ traceparent: traceparent('01') })))).resolves.toEqual(
        {},
      );
    }
    await lastValueFrom(grpc.plain.clientStream(of({})));
    await grpc.traces.expect(rpcServer('test.Echo/ClientStream', 'OK', handler('EchoController.clientStream', work)));
  });

  it('ignore: a function that throws ignores nothing and is reported', async () => {
    await start({
      ignore: () => {
        throw new Error('ignore broke');
      },
    });
    await lastValueFrom(grpc.plain.unary({}));
    await grpc.traces.expect(unary());
    expect(warnings).toEqual([expect.stringContaining('ignore broke')]);
  });

  it.each([[false], [true]])('builtInServices: %s', async (builtInServices) => {
    @Controller()
    class HealthController {
      @GrpcMethod('grpc.health.v1.Health', 'Check')
      check() {
        return { status: 1 };
      }
    }
    await start(
      { builtInServices },
      {
        controllers: [EchoController, HealthController],
        server: {
          package: ['test', 'grpc.health.v1'],
          protoPath: ['echo.proto', 'health.proto'].map((file) => `${import.meta.dirname}/../support/${file}`),
        },
      },
    );
    const check = RawGrpcCall.start(grpc.port, '/grpc.health.v1.Health/Check').write(frame(Buffer.alloc(0)));
    await expect(check.end().status()).resolves.toBe('0 OK');
    await grpc.traces.expect(
      ...(builtInServices ? [rpcServer('grpc.health.v1.Health/Check', 'OK', handler('HealthController.check'))] : []),
    );
  });

  it('requestMetadata and responseMetadata record what is asked for, hide secrets, and write bytes in Base64', async () => {
    await start({
      requestMetadata: ['X-Tenant', 'authorization', 'x-trace-bin', 'x-absent'],
      responseMetadata: ['x-answer', 'x-api-key', 'x-bytes-bin'],
    });
    const metadata = withMetadata({
      authorization: 'Bearer secret',
      'x-tenant': 'acme',
      'x-trace-bin': Buffer.from([0, 255]),
    });
    await lastValueFrom(grpc.plain.unary({}, metadata));
    await grpc.traces.expect(
      unary({
        attributes: {
          'rpc.request.header.x-tenant': ['acme'],
          'rpc.request.header.authorization': ['REDACTED'],
          'rpc.request.header.x-trace-bin': ['AP8='],
          'rpc.request.header.x-absent': undefined,
          'rpc.response.header.x-answer': ['42'],
          'rpc.response.header.x-api-key': ['REDACTED'],
          'rpc.response.header.x-bytes-bin': ['AQL/'],
        },
      }),
    );
  });

  it('responseMetadata records trailers', async () => {
    @Controller()
    class TrailingController {
      @GrpcMethod('Echo', 'Unary')
      unary(): never {
        throw Object.assign(new Error('no'), { code: 5 });
      }
      @GrpcMethod('Echo', 'ServerStream')
      serverStream(
        _message: Message,
        _metadata: Metadata,
        call: { end(trailer: Metadata): void },
      ): Observable<Message> {
        return of({}).pipe(tap({ complete: () => call.end(withMetadata({ 'x-count': '1', 'x-token': 'secret' })) }));
      }
    }
    await start({ responseMetadata: ['x-count', 'x-token'] }, { controllers: [TrailingController] });
    await lastValueFrom(grpc.plain.serverStream({}));
    await grpc.traces.expect(
      rpcServer(
        'test.Echo/ServerStream',
        {
          code: 'OK',
          attributes: { 'rpc.response.trailer.x-count': ['1'], 'rpc.response.trailer.x-token': ['REDACTED'] },
        },
        handler('TrailingController.serverStream'),
      ),
    );
  });

  it('messageEvents notes the messages of streams, and none of unary calls', async () => {
    await start({ messageEvents: true });
    await lastValueFrom(grpc.plain.unary({}));
    await grpc.traces.expect(unary());
    await lastValueFrom(grpc.plain.serverStream({}));
    await grpc.traces.until((spans) => spans.length === 5);
    const served = grpc.traces.take().find(({ kind }) => kind === SpanKind.SERVER)!;
    expect(served.events.map(({ name, attributes }) => [name, Object.values(attributes!).join(' ')])).toEqual([
      ['rpc.message', 'RECEIVED 1'],
      ['rpc.message', 'SENT 1'],
      ['rpc.message', 'SENT 2'],
      ['rpc.message', 'SENT 3'],
    ]);
  });

  it('without messageEvents there are none', async () => {
    await start({});
    await lastValueFrom(grpc.plain.serverStream({}));
    await grpc.traces.expect(
      rpcServer('test.Echo/ServerStream', 'OK', handler('EchoController.serverStream', work, work, work)),
    );
  });

  it('grpc: false leaves gRPC alone', async () => {
    await start(false);
    await lastValueFrom(grpc.echo.unary({}));
    // A span that the application starts by itself belongs to no call.
    await grpc.traces.expect(guard, work);
  });

  it('enabled: false leaves everything alone', async () => {
    await start({}, { tracing: { enabled: false } });
    await expect(carried(grpc.echo.unary({}, withMetadata({ traceparent: traceparent('01') })))).resolves.toEqual({});
    await grpc.traces.expect();
  });

  it.each([
    ['a handler', [EchoController], (echo: Echo) => echo.bidi(from([{}, {}]))],
    ['a controller', [SilentController], (echo: Echo) => echo.serverStream({})],
    ['a controller, by its messages', [SilentController], (echo: Echo) => echo.clientStream(from([{}, {}]))],
  ] as const)('@NoSpan() on %s takes its calls out of everything', async (_where, controllers, call) => {
    await start({}, { controllers: [...controllers] });
    await expect(carried(call(grpc.plain))).resolves.toEqual({});
    // Nothing was exported. The span of the excluded call was discarded, so it stays open for ever.
    expect([grpc.traces.take(), grpc.traces.open.length]).toEqual([[], 1]);
  });

  it('decorators work in handlers', async () => {
    @Controller()
    class DecoratedController {
      @GrpcMethod('Echo', 'Unary')
      @Span()
      unary(
        @Payload() @SpanAttribute('message', ({ text }: Message) => text) _message: Message,
        @CurrentSpan() span: OtelSpan,
        @Baggage('tenant') tenant: string,
      ) {
        span.setAttribute('tenant', tenant);
        return { text: 'done' };
      }
    }
    await start({}, { controllers: [DecoratedController] });
    const metadata = withMetadata({ baggage: 'tenant=acme', traceparent: traceparent('01') });
    await expect(lastValueFrom(grpc.plain.unary({ text: 'x' }, metadata))).resolves.toMatchObject({ text: 'done' });
    // The handler's own span serves for @Span().
    const handled = handler('DecoratedController.unary');
    handled.attributes = { ...handled.attributes, message: 'x', tenant: 'acme' };
    await grpc.traces.expect(rpcServer('test.Echo/Unary', { code: 'OK', caller: CALLER }, handled));
  });

  it.each([
    ['is sampled', '01', 1],
    ['is not sampled', '00', 0],
  ] as const)('a caller whose trace %s decides', async (_what, flags, count) => {
    await start({});
    const headers = await carried(grpc.plain.unary({}, withMetadata({ traceparent: traceparent(flags) })));
    expect(headers.traceparent).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-${flags}$`));
    await grpc.traces.expect(...Array.from({ length: count }, () => unary({ caller: CALLER })));
  });

  it('a sampler that keeps nothing: no span, and the trace context goes on unsampled', async () => {
    await start({}, { tracing: { sampler: { ratio: 0 } } });
    const headers = await carried(grpc.plain.unary({}));
    expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-0[02]$/);
    await lastValueFrom(grpc.plain.clientStream(from([{}, {}])));
    await lastValueFrom(grpc.plain.bidi(from([{}, {}])));
    await grpc.traces.expect();
  });

  it('a sampler of the application sees what a call is', async () => {
    const seen: unknown[] = [];
    const sampler = {
      shouldSample: (...[, , name, kind, attributes]: [unknown, string, string, number, object, unknown]) => {
        seen.push({ name, kind, attributes });
        return { decision: 2 };
      },
    };
    await start({}, { tracing: { sampler: sampler as never } });
    seen.length = 0;
    await lastValueFrom(grpc.plain.clientStream(of({})));
    expect(seen[0]).toEqual({
      name: 'test.Echo/ClientStream',
      kind: 1,
      attributes: { 'rpc.system.name': 'grpc', 'rpc.method': 'test.Echo/ClientStream' },
    });
    await grpc.traces.expect(rpcServer('test.Echo/ClientStream', 'OK', handler('EchoController.clientStream', work)));
  });

  it.each([
    ['absent', {}],
    ['empty', { traceparent: '' }],
    ['nonsense', { traceparent: 'nonsense' }],
    ['all zeros', { traceparent: `00-${'0'.repeat(32)}-${CALLER}-01` }],
    ['too long', { traceparent: `${traceparent('01')}${'-x'.repeat(2000)}` }],
    ['two that differ', { traceparent: [traceparent('01'), `00-${'a'.repeat(32)}-${CALLER}-01`] }],
    ['bytes', { 'traceparent-bin': traceparent('01') }],
  ])('a traceparent that is %s begins a trace', async (_what, headers) => {
    await start({});
    const call = RawGrpcCall.start(grpc.port, '/test.Echo/Unary', headers);
    await expect(
      call
        .write(frame(Buffer.alloc(0)))
        .end()
        .status(),
    ).resolves.toBe('0 OK');
    await grpc.traces.expect(unary());
  });

  it('baggage reaches the handler of a call', async () => {
    @Controller()
    class BaggageController {
      @GrpcMethod('Echo', 'Unary')
      unary(): Message {
        return { text: propagation.getActiveBaggage()?.getEntry('tenant')?.value ?? 'none' };
      }
    }
    await start({}, { controllers: [BaggageController] });
    await expect(lastValueFrom(grpc.plain.unary({}, withMetadata({ baggage: 'tenant=acme' })))).resolves.toMatchObject({
      text: 'acme',
    });
  });
});
