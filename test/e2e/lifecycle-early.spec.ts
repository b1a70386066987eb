import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, Module, type INestApplicationContext, type OnModuleInit } from '@nestjs/common';
import { trace, type Span as ApiSpan, type SpanContext } from '@opentelemetry/api';
import { InMemorySpanExporter, type ReadableSpan } from '@opentelemetry/sdk-trace';
import { Span, TracingModule, type TracingOptions } from 'nestjs-tracing';
import { startContext, Warnings } from '../support/nest.js';

// Libraries get their tracer like this, when they are imported.
const tracer = trace.getTracer('library');

let exporter: InMemorySpanExporter;
/** The options that the application's configuration service would return after some time. */
let options: TracingOptions;
let longSpan: ApiSpan | undefined;
/** The ids that a log or another service has received. The exported span must have the same ids. */
let idsHandedOut: SpanContext | undefined;

@Injectable()
class CacheService implements OnModuleInit {
  constructor() {
    tracer.startActiveSpan('constructor', (span) => {
      this.prepare();
      span.end();
    });
  }

  @Span()
  prepare(): void {
    trace.getTracer('taken late').startSpan('prepared').end();
  }

  onModuleInit(): void {
    tracer.startSpan('onModuleInit').end();
  }
}

@Module({
  providers: [
    CacheService,
    { provide: 'value', useFactory: () => tracer.startSpan('factory').end() },
    {
      provide: 'slow value',
      useFactory: () =>
        tracer.startActiveSpan('async factory', async (span) => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          span.addEvent('connected');
          span.end();
        }),
    },
    {
      provide: 'background work',
      useFactory: () => {
        longSpan = tracer.startSpan('background work');
        idsHandedOut = longSpan.spanContext();
      },
    },
  ],
})
class CacheModule {}

const tracing = TracingModule.forRootAsync({
  useFactory: async () => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    return { exporter, ...options };
  },
});

@Module({ imports: [tracing, CacheModule] })
class TracingFirst {}

@Module({ imports: [CacheModule, tracing] })
class TracingLast {}

let app: INestApplicationContext | undefined;
beforeEach(() => {
  exporter = new InMemorySpanExporter();
  options = { serviceName: 'shop' };
});
afterEach(async () => {
  longSpan?.end();
  await app?.close();
  app = undefined;
});

function exported(): Map<string, ReadableSpan> {
  const spans = exporter.getFinishedSpans();
  const byName = new Map(spans.map((span) => [span.name, span]));
  expect(byName.size).toBe(spans.length);
  return byName;
}

const EVERY_SPAN = [
  'CacheService.prepare',
  'async factory',
  'background work',
  'constructor',
  'factory',
  'onModuleInit',
  'prepared',
];

describe.each([
  ['first', TracingFirst],
  ['last', TracingLast],
])('imported %s', (_, AppModule) => {
  // A test suite uses the same module class twice. The second start must be like the first.
  it.each(['first', 'second'])('keeps the spans of the start for the %s application', async (name) => {
    options = { serviceName: name };
    app = await startContext(AppModule);
    longSpan?.end();
    const spans = exported();
    expect([...spans.keys()].toSorted()).toEqual(EVERY_SPAN);
    for (const span of spans.values()) expect(span.resource.attributes['service.name']).toBe(name);

    const [constructor, prepare, prepared] = ['constructor', 'CacheService.prepare', 'prepared'].map((it) =>
      spans.get(it),
    );
    expect(prepare?.parentSpanContext?.spanId).toBe(constructor?.spanContext().spanId);
    expect(prepared?.parentSpanContext?.spanId).toBe(prepare?.spanContext().spanId);
    expect(prepared?.spanContext().traceId).toBe(constructor?.spanContext().traceId);
    expect(prepared?.instrumentationScope.name).toBe('taken late');
    expect(spans.get('async factory')?.duration[1]).toBeGreaterThan(4e6);
    expect(spans.get('async factory')?.events).toMatchObject([{ name: 'connected' }]);
    expect(spans.get('background work')?.spanContext()).toMatchObject({ ...idsHandedOut });
    expect(spans.get('background work')?.duration[1]).toBeGreaterThan(20e6);
  });
});

it.each<[string, TracingOptions, number]>([
  ['always_off', { sampler: 'always_off' }, 0],
  ['ratio 0', { sampler: { ratio: 0 } }, 0],
  ['ratio 1', { sampler: { ratio: 1 } }, EVERY_SPAN.length],
  ['always_on', { sampler: 'always_on' }, EVERY_SPAN.length],
])('asks the sampler that comes late: %s', async (_, given, count) => {
  options = given;
  app = await startContext(TracingFirst);
  longSpan?.end();
  expect(exporter.getFinishedSpans()).toHaveLength(count);
});

it('keeps to the limits that come late', async () => {
  options = { limits: { eventCount: 0, attributeValueLength: 8 } };
  app = await startContext(TracingFirst);
  expect(exported().get('async factory')?.events).toEqual([]);
  expect(exported().get('CacheService.prepare')?.attributes['code.function.name']).toBe('CacheSer');
});

it.each<[string, TracingOptions]>([
  ['an option', { enabled: false }],
  ['an option of a configuration service', { enabled: 'false' }],
])('drops them where %s says late that nothing is to be traced', async (_, given) => {
  options = given;
  app = await startContext(TracingFirst);
  expect(tracer.startSpan('late').isRecording()).toBe(false);
  longSpan?.end();
  expect(exporter.getFinishedSpans()).toEqual([]);
});

it('says how many there were too many of', async () => {
  @Module({
    providers: [
      {
        provide: 'many',
        useFactory: () => {
          for (let i = 0; i < 2100; i++) tracer.startSpan('one of many').end();
        },
      },
    ],
  })
  class ManyModule {}
  const warnings = new Warnings();
  @Module({ imports: [ManyModule, tracing] })
  class AppModule {}
  app = await startContext(AppModule, warnings);
  expect(exporter.getFinishedSpans()).toHaveLength(2048);
  expect(warnings.messages).toEqual([expect.stringMatching(/^52 spans .* dropped/)]);
});
