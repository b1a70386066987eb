import { afterEach, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';
import { startContext, Warnings } from '../support/nest.js';

const tracer = trace.getTracer('library');
const warnings = new Warnings();

afterEach(() => {
  warnings.take();
});

@Injectable()
class CatsService {}

@Controller('cats')
class CatsController {
  @Get()
  all(): string[] {
    return [];
  }
}

function application(options?: TracingOptions): Type {
  @Module({
    imports: options ? [TracingModule.forRoot(options)] : [],
    controllers: [CatsController],
    providers: [CatsService],
  })
  class AppModule {}
  return AppModule;
}

/** Starts an application in preview mode, in which Nest reads the modules and creates no provider, and closes it. Returns Nest's warnings. */
async function preview(module: Type): Promise<string[]> {
  const app = await NestFactory.create(module, { preview: true, logger: warnings, abortOnError: false });
  await app.init();
  await app.close();
  return warnings.take();
}

it('a preview has the same warnings as without tracing', async () => {
  const bare = await preview(application());
  expect(bare).toContain('Application is running in the PREVIEW mode!');
  expect(await preview(application({ exporter: 'none', metrics: true, nest: { lifecycle: true } }))).toEqual(bare);
});

it('a preview leaves nothing of tracing behind', async () => {
  await preview(application({ exporter: 'none' }));
  const span = tracer.startSpan('afterwards');
  expect(span.isRecording()).toBe(false);
  expect(trace.isSpanContextValid(span.spanContext())).toBe(false);
});

it('a preview does not end the tracing of an application that runs', async () => {
  const exporter = new InMemorySpanExporter();
  const app = await startContext(application({ exporter }), warnings);
  await preview(application({ exporter: 'none' }));
  tracer.startSpan('afterwards').end();
  await app.get(TracingService).flush();
  expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['afterwards']);
  await app.close();
});
