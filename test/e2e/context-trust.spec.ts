import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, type LoggerService } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Metadata } from '@grpc/grpc-js';
import { propagation, SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { TracingService, type GrpcOptions, type HttpOptions, type TracingOptions } from 'nestjs-tracing';
import { firstValueFrom } from 'rxjs';
import { CALLER, idsIn, TRACE } from '../support/context-cases.js';
import { startGrpcApp, type Message } from '../support/grpc-app.js';
import { httpPlatforms, startHttpApp } from '../support/http-app.js';
import type { TraceRecorder } from '../support/trace-recorder.js';

@Controller()
class WhoController {
  constructor(private readonly tracing: TracingService) {}

  /** Returns the headers that an outgoing request would get here, and the number of baggage entries. */
  @Get('who/:id')
  who(): object {
    const baggage = propagation.getActiveBaggage()?.getAllEntries().length ?? 0;
    return { ...this.tracing.inject({}), entries: baggage };
  }

  @GrpcMethod('Echo', 'Unary')
  grpc(): Message {
    return { text: JSON.stringify(this.who()) };
  }
}

type Trust = HttpOptions['trustIncoming'] & GrpcOptions['trustIncoming'];
type Headers = Readonly<Record<string, string>>;
type Answer = { traceparent: string; tracestate?: string; baggage?: string; entries: number };

/** A service, and a function that calls it with headers. */
interface Service {
  readonly traces: TraceRecorder;
  readonly warnings: string[];
  call(headers: Headers): Promise<Answer>;
  close(): Promise<void>;
}

interface ServiceOptions {
  /** The value of the option. Undefined omits the option. */
  readonly trust: unknown;
  readonly tracing?: Omit<TracingOptions, 'exporter' | 'http' | 'grpc'>;
}

const settings = ({ trust, tracing }: ServiceOptions) => ({
  ...tracing,
  http: { ...(trust !== undefined && { trustIncoming: trust as Trust }) },
  grpc: { ...(trust !== undefined && { trustIncoming: trust as Trust }) },
});

const services: [string, (options: ServiceOptions) => Promise<Service>][] = [
  ...httpPlatforms.map(([platform]): (typeof services)[number] => [
    `HTTP on ${platform}`,
    async (options) => {
      const warnings: string[] = [];
      const logger = { warn: (message: string) => warnings.push(message), log() {}, error() {} } as LoggerService;
      const http = await startHttpApp(platform, { controllers: [WhoController], tracing: settings(options), logger });
      return {
        traces: http.traces,
        warnings,
        call: async (headers) => JSON.parse((await http.request('/who/1', { headers })).body) as Answer,
        close: () => http.close(),
      };
    },
  ]),
  [
    'gRPC',
    async (options) => {
      const warnings: string[] = [];
      const logger = { warn: (message: string) => warnings.push(message), log() {}, error() {} } as LoggerService;
      const prepare = (app: { useLogger(to: LoggerService): void }) => app.useLogger(logger);
      const grpc = await startGrpcApp({ controllers: [WhoController], tracing: settings(options), prepare });
      return {
        traces: grpc.traces,
        warnings,
        call: async (headers) => {
          const metadata = new Metadata();
          for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
          return JSON.parse((await firstValueFrom(grpc.plain.unary({}, metadata))).text ?? '') as Answer;
        },
        close: () => grpc.close(),
      };
    },
  ],
];

const FROM_OUTSIDE = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'a=1', baggage: 'tenant=acme' };
const UNSAMPLED = { ...FROM_OUTSIDE, traceparent: `00-${TRACE}-${CALLER}-00` };

// The same message is written once a minute.
let minutes = 0;
function letMinutesPass(): void {
  minutes += 2;
  const now = performance.now.bind(performance);
  jest.spyOn(performance, 'now').mockImplementation(() => now() + minutes * 60_000);
}
afterEach(() => void jest.restoreAllMocks());

describe.each(services)('a caller by %s', (_, startService) => {
  async function withService(options: ServiceOptions, use: (service: Service) => Promise<void>): Promise<void> {
    const service = await startService(options);
    try {
      await use(service);
    } finally {
      await service.close();
    }
  }

  /** The spans of one call: that of the server and that of its handler. */
  async function served({ traces }: Service): Promise<[server: ReadableSpan, handler: ReadableSpan]> {
    await traces.until((spans) => spans.length === 2);
    const spans = traces.take();
    return [spans.find((span) => span.kind === SpanKind.SERVER)!, spans.find((span) => span.kind === 0)!];
  }

  it.each([
    ['by default', undefined],
    ['where that is said', true],
    ['where a function says so', () => true],
  ])('is adopted %s', (_when, trust) =>
    withService({ trust }, async (service) => {
      await expect(service.call(FROM_OUTSIDE)).resolves.toMatchObject({
        traceparent: expect.stringContaining(TRACE),
        tracestate: 'a=1',
        baggage: 'tenant=acme',
        entries: 1,
      });
      const [server] = await served(service);
      expect(server.parentSpanContext?.spanId).toBe(CALLER);
      expect(server.links).toEqual([]);
    }),
  );

  it.each([
    ['where that is said', false],
    ['where a function says so', () => false],
    ['where a function says nothing', () => undefined],
    ['where a function says something else', () => 'yes'],
    ['where a function takes its time', () => Promise.resolve(true)],
  ])('is only linked to %s', (_when, trust) =>
    withService({ trust }, async (service) => {
      const { traceparent, ...others } = await service.call(FROM_OUTSIDE);
      expect(others).toEqual({ entries: 0 });
      const [server, handler] = await served(service);
      const ids = idsIn(traceparent);
      expect(ids).toEqual({ traceId: server.spanContext().traceId, spanId: handler.spanContext().spanId, flags: '03' });
      expect(ids.traceId).not.toBe(TRACE);
      expect(server.parentSpanContext).toBeUndefined();
      expect(handler.parentSpanContext?.spanId).toBe(server.spanContext().spanId);
      expect(server.links.map((link) => link.context)).toEqual([
        { traceId: TRACE, spanId: CALLER, traceFlags: 1, isRemote: true },
      ]);
      expect(handler.links).toEqual([]);
    }),
  );

  it('is not trusted by a function that throws', () =>
    withService(
      {
        trust: () => {
          throw new Error('trust broke');
        },
      },
      async (service) => {
        letMinutesPass();
        await expect(service.call(FROM_OUTSIDE)).resolves.toMatchObject({ entries: 0 });
        const [server] = await served(service);
        expect(server.spanContext().traceId).not.toBe(TRACE);
        expect(service.warnings.join()).toContain('trustIncoming threw and was ignored: Error: trust broke');
      },
    ));

  it('has no say in the sampling where it is not trusted', async () => {
    await withService({ trust: false }, async (service) => {
      await service.call(UNSAMPLED);
      const [server] = await served(service);
      expect(server.links[0]?.context).toMatchObject({ traceId: TRACE, traceFlags: 0 });
    });
    await withService({ trust: false, tracing: { sampler: { ratio: 0 } } }, async (service) => {
      const { traceparent } = await service.call(FROM_OUTSIDE);
      expect(idsIn(traceparent)).toMatchObject({ flags: '02' });
      await service.traces.expect();
    });
    await withService({ trust: false, tracing: { propagators: ['b3', 'tracecontext'] } }, async (service) => {
      await service.call({ b3: '0' });
      const [server] = await served(service);
      expect(server.links).toEqual([]);
      expect(idsIn((await service.call({ b3: `${TRACE}-${CALLER}-d` })).traceparent).flags).toBe('03');
    });
  });

  it('has a say where it is trusted', () =>
    withService({ trust: true }, async (service) => {
      expect(idsIn((await service.call(UNSAMPLED)).traceparent)).toMatchObject({ traceId: TRACE, flags: '00' });
      await service.traces.expect();
    }));

  it('that is malformed, or none, is not linked to', () =>
    withService({ trust: false }, async (service) => {
      for (const headers of [{}, { traceparent: `00-${TRACE}-${'0'.repeat(16)}-01`, baggage: 'a=1' }] as Headers[]) {
        await expect(service.call(headers)).resolves.toMatchObject({ entries: 0 });
        const [server] = await served(service);
        expect(server.links).toEqual([]);
        expect(server.parentSpanContext).toBeUndefined();
      }
    }));
});

describe('a function that trusts', () => {
  it('sees the request', async () => {
    const trustIncoming: HttpOptions['trustIncoming'] = (request) => request.headers['x-internal'] === '1';
    const http = await startHttpApp('Express', { controllers: [WhoController], tracing: { http: { trustIncoming } } });
    const traceIdOf = async (headers: Headers) =>
      idsIn((JSON.parse((await http.request('/who/1', { headers })).body) as Answer).traceparent).traceId;
    expect(await traceIdOf(FROM_OUTSIDE)).not.toBe(TRACE);
    expect(await traceIdOf({ ...FROM_OUTSIDE, 'x-internal': '1' })).toBe(TRACE);
    await http.close();
  });

  it('sees the call', async () => {
    const seen: unknown[] = [];
    const trustIncoming: GrpcOptions['trustIncoming'] = ({ method, side, metadata }) => {
      seen.push([method, side]);
      return metadata.get('x-internal')[0] === '1';
    };
    const grpc = await startGrpcApp({ controllers: [WhoController], tracing: { grpc: { trustIncoming } } });
    const traceIdOf = async (headers: Headers) => {
      const metadata = new Metadata();
      for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
      const { text = '' } = await firstValueFrom(grpc.plain.unary({}, metadata));
      return idsIn((JSON.parse(text) as Answer).traceparent).traceId;
    };
    expect(await traceIdOf(FROM_OUTSIDE)).not.toBe(TRACE);
    expect(await traceIdOf({ ...FROM_OUTSIDE, 'x-internal': '1' })).toBe(TRACE);
    const served = ['test.Echo/Unary', 'server'];
    expect(seen).toEqual([served, served]);
    await grpc.close();
  });
});
