/** The route of a request that middleware has answered, where Express has tried other middleware before. */
import { describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  HttpException,
  Module,
  type MiddlewareConsumer,
  type NestMiddleware,
  type NestModule,
} from '@nestjs/common';
import { SpanKind } from '@opentelemetry/api';
import { httpPlatforms, withHttpApp } from '../support/http-app.js';

type Next = (error?: unknown) => void;

class PassingMiddleware implements NestMiddleware {
  use(_request: unknown, _response: unknown, next: Next): void {
    next();
  }
}

class RefusingMiddleware implements NestMiddleware {
  use(): void {
    throw new HttpException('refused', 418);
  }
}

@Controller('orders')
class OrdersController {
  @Get()
  list(): void {}

  @Get(':id/lines/:line')
  line(): void {}
}

@Module({ controllers: [OrdersController] })
class OrdersModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    // Express makes a route of the first one, and mounts the second one.
    consumer.apply(PassingMiddleware).forRoutes(OrdersController);
    consumer.apply(RefusingMiddleware).forRoutes('orders');
  }
}

describe.each(httpPlatforms)('a request on %s that middleware has refused', (platform) => {
  it.each([true, false])('has one route, with spans of the stages: %s', async (lifecycle) => {
    const tracing = { nest: { lifecycle } };
    await withHttpApp(platform, { imports: [OrdersModule], tracing }, async (app) => {
      const routes: string[] = [];
      // Fastify calls the middleware of a path for this path alone.
      const below = platform === 'Express' ? ['orders/7/lines/8'] : [];
      for (const path of ['orders', 'orders?a=b', ...below]) {
        expect((await fetch(`${app.url}/${path}`)).status).toBe(418);
        await app.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));
        const server = app.traces.take().find(({ kind }) => kind === SpanKind.SERVER);
        expect(server?.name).toBe(`GET ${String(server?.attributes['http.route'])}`);
        routes.push(String(server?.attributes['http.route']));
      }
      expect(routes).toEqual(['/orders', '/orders', ...below.map(() => '/orders/:id/lines/:line')]);
    });
  });
});
