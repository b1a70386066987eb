import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Header, Param, ParseIntPipe, type INestApplication } from '@nestjs/common';
import { ClientProxyFactory, MessagePattern, Payload, Transport } from '@nestjs/microservices';
import { trace, type Attributes } from '@opentelemetry/api';
import { NoSpan, Span, SpanAttribute, type TracingOptions } from 'nestjs-tracing';
import { lastValueFrom } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { httpPlatforms, withHttpApp, type HttpApp, type HttpAppOptions, type Platform } from '../support/http-app.js';

const pick = jest.fn((value: { id: string }) => value.id);

class BaseController {
  @Get('inherited/:id')
  inherited(@Param('id') @SpanAttribute('base.id') id: string) {
    return id;
  }

  @Get('overridden/:id')
  overridden(@Param('id') @SpanAttribute('base.id') id: string) {
    return id;
  }
}

@Controller()
class OrdersController extends BaseController {
  @Get('orders/:id')
  @Header('x-order', 'yes')
  one(@Param('id', ParseIntPipe) @SpanAttribute('order.id') id: number, @SpanAttribute('unset') unset?: string) {
    return `${id} ${typeof unset}`;
  }

  @Get('picked/:id')
  picked(@Param() @SpanAttribute('order.id', pick) parameters: { id: string }) {
    return parameters;
  }

  @Get('spanned/:id')
  @Span()
  spanned(@Param() @SpanAttribute('order.id', pick) parameters: { id: string }) {
    return parameters;
  }

  @Get('secret/:id')
  @Span({ record: false })
  secret(@Param('id') @SpanAttribute('order.id') id: string) {
    return id;
  }

  @Get('silent/:id')
  @NoSpan()
  silent(@Param('id') @SpanAttribute('order.id') id: string) {
    return id;
  }

  @Get('broken/:id')
  broken(
    @Param('id')
    @SpanAttribute('order.id', () => {
      throw new Error('no id');
    })
    id: string,
  ) {
    return id;
  }

  // The value of this parameter is confidential, unlike that of the method that it overrides.
  @Get('overridden/:id')
  override overridden(@Param('id') id: string) {
    return id;
  }

  @MessagePattern('order')
  message(@Payload('id') @SpanAttribute('order.id') id: string) {
    return id;
  }
}

const controllers = [OrdersController];

/** Returns the attributes of the handler's span. */
async function handlerAttributes(http: HttpApp, path: string): Promise<Attributes> {
  http.traces.reset();
  expect((await http.request(path)).status).toBe(200);
  await http.traces.until((spans) => spans.some(({ name }) => name.startsWith('GET')));
  const [name] = path.split('/').slice(1);
  const handler = { orders: 'one' }[name!] ?? name!;
  return http.traces.named(`OrdersController.${handler}`).attributes;
}

describe.each(httpPlatforms)('@SpanAttribute() on a handler without @Span() on %s', (platform) => {
  const withApp = (use: (http: HttpApp) => Promise<void>) => withHttpApp(platform, { controllers }, use);

  it('records the argument, after the pipes, on the span of the handler', async () => {
    await withApp(async (http) => {
      const attributes = await handlerAttributes(http, '/orders/42');
      expect(attributes).toMatchObject({ 'order.id': 42, 'code.function.name': 'OrdersController.one' });
      expect(attributes).not.toHaveProperty('unset');
      const response = await http.request('/orders/42');
      expect({ body: response.body, header: response.headers.get('x-order') }).toEqual({
        body: '42 undefined',
        header: 'yes',
      });
    });
  });

  it('picks a value once, with and without @Span()', async () => {
    await withApp(async (http) => {
      for (const path of ['/picked/7', '/spanned/7']) {
        pick.mockClear();
        expect(await handlerAttributes(http, path)).toMatchObject({ 'order.id': '7' });
        expect(pick).toHaveBeenCalledTimes(1);
      }
    });
  });

  it('applies to an inherited handler, and not to one that overrides it', async () => {
    await withApp(async (http) => {
      expect(await handlerAttributes(http, '/inherited/7')).toMatchObject({ 'base.id': '7' });
      expect(await handlerAttributes(http, '/overridden/7')).not.toHaveProperty('base.id');
    });
  });

  it('hides what is to be hidden, and ignores a function that throws', async () => {
    await withApp(async (http) => {
      expect(await handlerAttributes(http, '/secret/7')).not.toHaveProperty('order.id');
      expect((await http.request('/silent/7')).body).toBe('7');
      expect(await handlerAttributes(http, '/broken/7')).not.toHaveProperty('order.id');
    });
  });
});

it('@SpanAttribute() records the payload of a message', async () => {
  const port = await freePort();
  const connect = async (app: INestApplication) => {
    app.connectMicroservice({ transport: Transport.TCP, options: { port } });
    await app.startAllMicroservices();
  };
  await withHttpApp('Express', { controllers, prepare: connect }, async ({ traces }) => {
    const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { port } });
    expect(await lastValueFrom(client.send('order', { id: '8' }))).toBe('8');
    client.close();
    await traces.until((spans) => spans.some(({ name }) => name === 'OrdersController.message'));
    expect(traces.named('OrdersController.message').attributes).toMatchObject({ 'order.id': '8' });
  });
});

describe.each(['builtin', 'sdk'] as const)('spanAttributes with the tracer %s', (tracer) => {
  const withApp = (tracing: Partial<TracingOptions>, use: (http: HttpApp) => Promise<void>) =>
    withTracedApp('Express', { ...tracing, tracer }, use);

  it('are on every span, unless it has them already', async () => {
    const spanAttributes = {
      'app.region': 'eu',
      'order.id': 'common',
      'http.request.method': 'common',
      empty: undefined,
    };
    await withApp({ spanAttributes }, async (http) => {
      await handlerAttributes(http, '/orders/42');
      const server = http.traces.named('GET /orders/:id').attributes;
      const handler = http.traces.named('OrdersController.one').attributes;
      expect(server).toMatchObject({ 'app.region': 'eu', 'http.request.method': 'GET', 'order.id': 'common' });
      expect(handler).toMatchObject({ 'app.region': 'eu', 'order.id': 42 });
      expect(server).not.toHaveProperty('empty');
    });
  });

  it('come from a function, which is called where the span starts, for recorded spans only', async () => {
    const tenants = new AsyncLocalStorage<string>();
    const spanAttributes = jest.fn(() => ({ 'tenant.id': tenants.getStore() }));
    const prepare = (app: { use(middleware: unknown): void }) =>
      app.use((_request: unknown, _response: unknown, next: () => void) => tenants.run('acme', next));
    await withHttpApp('Express', { controllers, prepare, tracing: { spanAttributes, tracer } }, async (http) => {
      expect(await handlerAttributes(http, '/orders/42')).toMatchObject({ 'tenant.id': 'acme' });
      // Its span starts before any middleware.
      expect(http.traces.named('GET /orders/:id').attributes).not.toHaveProperty('tenant.id');
      spanAttributes.mockClear();
      const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00';
      await http.request('/orders/42', { headers: { traceparent } });
      expect(spanAttributes).not.toHaveBeenCalled();
    });
  });

  it('take precedence over baggage, which a caller sends', async () => {
    const baggage = { attributes: ['tenant.id', 'app.region'] };
    await withApp({ spanAttributes: { 'app.region': 'eu' }, baggage }, async (http) => {
      await http.request('/orders/42', { headers: { baggage: 'tenant.id=acme,app.region=us' } });
      await http.traces.until((spans) => spans.length === 2);
      const { attributes } = http.traces.named('OrdersController.one');
      expect(attributes).toMatchObject({ 'tenant.id': 'acme', 'app.region': 'eu' });
    });
  });

  it('do no harm if the function throws, is async, or starts spans itself', async () => {
    const results = [
      () => {
        throw new Error('no store');
      },
      () => Promise.reject(new Error('late')),
      () => trace.getTracer('own').startSpan('own').end(),
    ];
    const spanAttributes = () => results[0]!() as undefined;
    await withApp({ spanAttributes }, async (http) => {
      for (; results.length > 0; results.shift()) {
        expect(await handlerAttributes(http, '/orders/42')).toMatchObject({ 'order.id': 42 });
      }
    });
  });
});

function withTracedApp(platform: Platform, tracing: HttpAppOptions['tracing'], use: (http: HttpApp) => Promise<void>) {
  return withHttpApp(platform, { controllers, tracing }, use);
}
