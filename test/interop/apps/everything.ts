/** An application whose spans have every kind of data that a span can hold. It writes their ids, and closes. */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { TracingModule, type TracingOptions } from 'nestjs-tracing';

const options: TracingOptions = {
  serviceName: 'everything',
  serviceVersion: '4.5.6',
  resource: { 'deployment.environment.name': 'test', 'shard.number': 7, 'shard.names': ['a', 'b'] },
  ...(JSON.parse(process.argv[2] ?? '{}') as TracingOptions),
};

@Module({ imports: [TracingModule.forRoot(options)] })
class AppModule {}

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['warn', 'error'] });
const tracer = trace.getTracer('with-version', '1.2.3');
const linked = tracer.startSpan('linked', { root: true });
linked.end();

const ids = tracer.startActiveSpan('root', { kind: SpanKind.SERVER }, (root) => {
  const at = Date.now();
  root.setAttributes({
    text: 'grüße, "you"',
    empty: '',
    'whole number': 42,
    'large number': 2 ** 53 - 1,
    'negative number': -1,
    'broken number': 0.5,
    yes: true,
    no: false,
    texts: ['a', 'b, c'],
    'whole numbers': [1, 2],
    'broken numbers': [0.5, 1.5],
    flags: [true, false],
  });
  root.addEvent('reserved', { pieces: 3, sku: 'book', gift: true }, at + 5);
  root.addLink({ context: linked.spanContext(), attributes: { why: 'because' } });
  for (const kind of ['INTERNAL', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const) {
    tracer.startSpan(kind, { kind: SpanKind[kind] }).end();
  }
  tracer.startSpan('fine').setStatus({ code: SpanStatusCode.OK }).end();
  tracer.startActiveSpan('broken', (broken) => {
    broken.recordException(new TypeError('it broke'));
    broken.setStatus({ code: SpanStatusCode.ERROR, message: 'out of order' }).end();
  });
  const timed = tracer.startSpan('timed', { startTime: [1_700_000_000, 123_456_000] });
  timed.end([1_700_000_001, 123_457_000]);
  trace.getTracer('without-version').startSpan('unversioned').end();
  root.end();
  return { root: root.spanContext(), linked: linked.spanContext(), at };
});
process.stdout.write(`${JSON.stringify(ids)}\n`);
await app.close();
