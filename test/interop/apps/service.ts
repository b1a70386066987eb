/** A web application for tests of load and of sampling. Its first argument is its options in JSON. */
import 'reflect-metadata';
import { Controller, Get, Injectable, Module, Param, Query } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { Span, TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';

@Injectable()
class OrdersService {
  @Span()
  place(): string {
    return this.price();
  }

  @Span()
  price(): string {
    return 'placed';
  }
}

@Controller()
class OrdersController {
  constructor(
    private readonly orders: OrdersService,
    private readonly tracing: TracingService,
  ) {}

  @Get('orders')
  place(): string {
    return this.orders.place();
  }

  /** Starts this number of traces, and reports how many of them are kept. */
  @Get('roots/:count')
  roots(@Param('count') count: string, @Query('name') name = 'root'): { kept: number } {
    const tracer = trace.getTracer('service', '1');
    const roots = Array.from({ length: Number(count) }, () => tracer.startSpan(name, { root: true }));
    for (const root of roots) root.end();
    return { kept: roots.filter((root) => root.isRecording() || root.spanContext().traceFlags & 1).length };
  }

  @Get('flush')
  async flush(): Promise<void> {
    await this.tracing.flush();
  }
}

@Module({
  imports: [TracingModule.forRoot(JSON.parse(process.argv[2] ?? '{}') as TracingOptions)],
  controllers: [OrdersController],
  providers: [OrdersService],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: ['warn', 'error'] });
app.enableShutdownHooks();
await app.listen(Number(process.env.PORT), '127.0.0.1');
process.stdout.write('listening\n');
