/** An application that makes a few spans, configured by variables and by the options in its first argument, in JSON. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { trace } from '@opentelemetry/api';
import { TracingModule, TracingService, type TracingOptions } from 'nestjs-tracing';

const options = JSON.parse(process.argv[2] ?? '{}') as TracingOptions;

@Module({ imports: [TracingModule.forRoot(options)] })
class AppModule {}

const variables = JSON.stringify(process.env);
const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const tracing = app.get(TracingService);
const tracer = trace.getTracer('app');
const carrier = tracer.startActiveSpan('parent', (parent) => {
  for (let i = 0; i < 5; i++) {
    parent.setAttribute(`attribute.${i}`, 'x'.repeat(100)).addEvent(`event ${i}`);
    const child = tracer.startSpan(`child ${i}`);
    child.end();
    parent.addLink({ context: child.spanContext() });
  }
  parent.end();
  return tracing.inject({});
});
const symbols = Object.getOwnPropertySymbols(globalThis).filter((symbol) => /opentelemetry/.test(String(symbol)));
const report = {
  carrier,
  variablesAreKept: JSON.stringify(process.env) === variables,
  globals: symbols.map(String),
  apis: Object.keys((globalThis as Record<symbol, object | undefined>)[Symbol.for('opentelemetry.js.api.1')] ?? {}),
};
process.stdout.write(`${JSON.stringify(report)}\n`);
process.stdout.write('traced\n');
if (process.env.STAY) setTimeout(() => {}, 60_000);
else await app.close();
