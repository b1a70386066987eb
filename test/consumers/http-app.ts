/** A complete application with one request. It checks its own trace, and fails if the trace is not as expected. */
import 'reflect-metadata';
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Controller, Get, Injectable, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SpanKind } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span, TracingModule, TracingService } from 'nestjs-tracing';
// Its types have to compile without those of Jest and of Vitest.
import type {} from 'nestjs-tracing/testing';

const exporter = new InMemorySpanExporter();
/** Some applications have the package that metrics need. The others show that only metrics need it. */
const measured = existsSync('node_modules/prom-client');

@Injectable()
class UsersService {
  constructor(private readonly tracing: TracingService) {}

  @Span()
  async find(id: string): Promise<{ id: string; traceId: string | undefined }> {
    return { id, traceId: this.tracing.traceId };
  }
}

@Controller('users')
class UsersController {
  constructor(private readonly users: UsersService) {}

  @Get(':id')
  one(@Param('id') id: string): Promise<{ id: string; traceId: string | undefined }> {
    return this.users.find(id);
  }
}

@Module({
  imports: [TracingModule.forRoot({ serviceName: 'users', exporter, metrics: measured && { path: '/metrics' } })],
  controllers: [UsersController],
  providers: [UsersService],
})
class AppModule {}

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ['error', 'warn'] });
  await app.listen(0, '127.0.0.1');

  const caller = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
  const { port } = app.getHttpServer().address() as AddressInfo;
  const response = await fetch(`http://127.0.0.1:${port}/users/42`, {
    headers: { traceparent: `00-${caller.traceId}-${caller.spanId}-01` },
  });
  assert.deepEqual(await response.json(), { id: '42', traceId: caller.traceId });

  const spans = await finishedSpans(app.get(TracingService));
  if (measured) await checkMetrics(`http://127.0.0.1:${port}/metrics`, caller.traceId);
  await app.close();

  assert.deepEqual([...spans.keys()].sort(), ['GET /users/:id', 'UsersController.one', 'UsersService.find']);
  const server = spans.get('GET /users/:id')!;
  const handler = spans.get('UsersController.one')!;
  const service = spans.get('UsersService.find')!;

  assert.equal(server.kind, SpanKind.SERVER);
  assert.equal(server.resource.attributes['service.name'], 'users');
  assert.equal(server.parentSpanContext?.spanId, caller.spanId);
  assert.equal(handler.parentSpanContext?.spanId, server.spanContext().spanId);
  assert.equal(service.parentSpanContext?.spanId, handler.spanContext().spanId);
  for (const span of spans.values()) assert.equal(span.spanContext().traceId, caller.traceId);
}

async function checkMetrics(url: string, traceId: string): Promise<void> {
  const response = await fetch(url, { headers: { accept: 'application/openmetrics-text' } });
  const text = await response.text();
  assert.match(text, /^http_server_request_duration_seconds_count\{.*http_route="\/users\/:id".*\} 1$/m);
  assert.ok(text.includes(`# {trace_id="${traceId}"`), text);
}

/** The server span ends a moment after the caller has its response. */
async function finishedSpans(tracing: TracingService): Promise<Map<string, ReadableSpan>> {
  const deadline = Date.now() + 5_000;
  for (;;) {
    await tracing.flush();
    const spans = exporter.getFinishedSpans();
    if (spans.length >= 3 || Date.now() > deadline) return new Map(spans.map((span) => [span.name, span]));
    await sleep(20);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
