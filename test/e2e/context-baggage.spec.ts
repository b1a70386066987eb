import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { Metadata } from '@grpc/grpc-js';
import { context, propagation } from '@opentelemetry/api';
import { Baggage, Span, TracingService, type BaggageOptions } from 'nestjs-tracing';
import { firstValueFrom } from 'rxjs';
import { contextHeaders } from '../support/context-cases.js';
import { startGrpcApp, type GrpcApp, type Message } from '../support/grpc-app.js';
import { httpPlatforms, startHttpApp, type HttpApp } from '../support/http-app.js';
import { startNextService, type NextService } from '../support/next-service.js';
import type { TraceRecorder } from '../support/trace-recorder.js';

let next: NextService;
beforeAll(async () => {
  next = await startNextService();
});
afterAll(() => next.close());

@Injectable()
class OrdersService {
  @Span()
  async place(): Promise<Record<string, unknown>> {
    return contextHeaders((await (await fetch(next.url)).json()) as Record<string, unknown>);
  }
}

@Controller('orders')
class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly tracing: TracingService,
  ) {}

  @Get('args')
  args(@Baggage('tenant.id') tenant?: string, @Baggage() all?: object, @Baggage('none') none?: string): object {
    return { tenant, all, none: String(none) };
  }

  @Get()
  place() {
    return this.orders.place();
  }

  /** Adds an entry to the baggage, and starts a new trace with this baggage. */
  @Get('added')
  added() {
    const baggage = (propagation.getActiveBaggage() ?? propagation.createBaggage()).setEntry('tenant.id', {
      value: 'added',
    });
    return context.with(propagation.setBaggage(context.active(), baggage), () =>
      this.tracing.span('root', () => this.orders.place(), { root: true }),
    );
  }

  @GrpcMethod('Echo', 'Unary')
  unary(_message: Message, @Baggage('tenant.id') tenant?: string, @Baggage() all?: object): Message {
    return { text: JSON.stringify({ tenant, all }) };
  }
}

const providers = [OrdersService];
const controllers = [OrdersController];
const BAGGAGE = 'tenant.id=acme%20%C3%BC;p=1,secret=x,user=7';

async function attributes(traces: TraceRecorder, count: number): Promise<Record<string, unknown>> {
  await traces.until((spans) => spans.length === count);
  const spans = traces.take();
  return Object.fromEntries(spans.map((span) => [span.name, [span.attributes['tenant.id'], span.attributes.secret]]));
}

describe.each(httpPlatforms)('baggage on %s', (platform) => {
  let http: HttpApp;
  const start = async (baggage?: BaggageOptions) => {
    http = await startHttpApp(platform, {
      controllers,
      providers,
      tracing: {
        ...(baggage && { baggage }),
        propagators: ['tracecontext', 'baggage', 'jaeger'],
        http: { client: {} },
      },
    });
  };
  const request = async (path: string, headers: Record<string, string> = { baggage: BAGGAGE }) =>
    JSON.parse((await http.request(path, { headers })).body) as Record<string, unknown>;

  it('is an argument of handlers, leaves whole, and shows nowhere', async () => {
    await start();
    await expect(request('/orders/args')).resolves.toEqual({
      tenant: 'acme ü',
      all: { 'tenant.id': 'acme ü', secret: 'x', user: '7' },
      none: 'undefined',
    });
    await http.traces.until((spans) => spans.length === 2);
    http.traces.take();
    await expect(request('/orders')).resolves.toMatchObject({
      baggage: BAGGAGE,
      'uberctx-tenant.id': 'acme%20%C3%BC',
      'uberctx-secret': 'x',
      'uberctx-user': '7',
    });
    const nothing = [undefined, undefined];
    await expect(attributes(http.traces, 4)).resolves.toEqual({
      'GET /orders': nothing,
      'OrdersController.place': nothing,
      'OrdersService.place': nothing,
      GET: nothing,
    });
    await http.close();
  });

  it('shows on every span, as far as it is asked for', async () => {
    await start({ attributes: ['tenant.id'] });
    await request('/orders');
    const acme = ['acme ü', undefined];
    await expect(attributes(http.traces, 4)).resolves.toEqual({
      'GET /orders': acme,
      'OrdersController.place': acme,
      'OrdersService.place': acme,
      GET: acme,
    });
    await request('/orders/added', {});
    const [none, added] = [
      [undefined, undefined],
      ['added', undefined],
    ];
    await expect(attributes(http.traces, 5)).resolves.toEqual({
      'GET /orders/added': none,
      'OrdersController.added': none,
      root: added,
      'OrdersService.place': added,
      GET: added,
    });
    await http.close();
  });

  const tenant = { 'uberctx-tenant.id': 'acme%20%C3%BC' };
  const user = { 'uberctx-user': '7' };

  it.each<[what: string, propagate: NonNullable<BaggageOptions['propagate']>, left: Record<string, string>]>([
    ['by a list', ['tenant.id', 'elsewhere'], { baggage: 'tenant.id=acme%20%C3%BC;p=1', ...tenant }],
    ['by a function', (key) => key !== 'secret', { baggage: 'tenant.id=acme%20%C3%BC;p=1,user=7', ...tenant, ...user }],
    ['not at all', [], {}],
    [
      'where the function does not throw',
      (key) => {
        if (key === 'secret') throw new Error('propagate broke');
        return true;
      },
      { baggage: 'tenant.id=acme%20%C3%BC;p=1,user=7', ...tenant, ...user },
    ],
  ])('leaves %s, and is here all the same', async (_, propagate, left) => {
    await start({ propagate, attributes: ['secret'] });
    const { traceparent, 'uber-trace-id': jaeger, ...sent } = await request('/orders');
    expect([traceparent, jaeger]).toEqual([expect.any(String), expect.any(String)]);
    expect(sent).toEqual(left);
    await expect(request('/orders/args')).resolves.toMatchObject({ all: { secret: 'x' } });
    await http.close();
  });
});

describe('baggage of gRPC', () => {
  let grpc: GrpcApp;
  beforeAll(async () => {
    grpc = await startGrpcApp({ controllers, providers, tracing: { baggage: { attributes: ['tenant.id'] } } });
  });
  afterAll(() => grpc.close());

  it('is an argument of handlers, and shows on every span', async () => {
    const metadata = new Metadata();
    metadata.add('baggage', BAGGAGE);
    metadata.add('baggage', 'more=1');
    const { text = '' } = await firstValueFrom(grpc.plain.unary({}, metadata));
    expect(JSON.parse(text)).toEqual({
      tenant: 'acme ü',
      all: { 'tenant.id': 'acme ü', secret: 'x', user: '7', more: '1' },
    });
    await expect(attributes(grpc.traces, 2)).resolves.toEqual({
      'test.Echo/Unary': ['acme ü', undefined],
      'OrdersController.unary': ['acme ü', undefined],
    });
  });
});
