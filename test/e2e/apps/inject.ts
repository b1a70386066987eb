/** A Fastify application that answers requests without a socket, one of them from within another. It writes their spans in JSON. */
import 'reflect-metadata';
import { Controller, Get, Module, Param } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SpanKind } from '@opentelemetry/api';
import { TracingModule, TracingService } from 'nestjs-tracing';

@Controller('users')
class UsersController {
  @Get(':id')
  one(@Param('id') id: string) {
    return { id };
  }
}

@Module({ imports: [TracingModule.forRoot({ exporter: 'memory' })], controllers: [UsersController] })
class AppModule {}

const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), { logger: false });
app.use('/nested', (_request: unknown, response: { end(body: string): void }) => {
  void app.inject('/users/9').then(({ body }) => response.end(body));
});
await app.init();
const answers: number[] = [];
for (const path of ['/users/3', '/nowhere', '/nested']) answers.push((await app.inject(path)).statusCode);
await new Promise(setImmediate);
const spans = app.get(TracingService).finishedSpans();
const tell = spans.map((span) => ({
  name: span.name,
  kind: SpanKind[span.kind],
  code: span.attributes['http.response.status_code'],
  child: span.parentSpanContext !== undefined,
}));
process.stdout.write(`${JSON.stringify({ answers, spans: tell })}\n`);
await app.close();
