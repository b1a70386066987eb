import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Inject, Injectable, Module, type OnModuleInit } from '@nestjs/common';
import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import { Span, SpanAttribute, TracingModule, TracingService } from 'nestjs-tracing';
import { lastValueFrom, of, type Observable } from 'rxjs';
import { startContext } from '../support/nest.js';

const failure = new RangeError('not yet');

@Injectable()
class Starting implements OnModuleInit {
  readonly running: Promise<unknown>;

  // A constructor runs before the options of forRootAsync() are available.
  constructor() {
    this.running = this.outer();
  }

  @Span()
  async outer(): Promise<unknown> {
    this.inner('1');
    await lastValueFrom(this.stream());
    try {
      this.fail();
    } catch {
      // Only the recorded exception matters here.
    }
    // The time is long enough for tracing to be configured meanwhile.
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    return this.inner('2');
  }

  @Span((id: string) => ({ early: true, id }))
  inner(@SpanAttribute('inner.id') id: string): string {
    return id;
  }

  @Span()
  stream(): Observable<number> {
    return of(1);
  }

  @Span()
  fail(): never {
    throw failure;
  }

  async onModuleInit(): Promise<void> {
    await this.running;
  }
}

@Injectable()
class UsesService {
  constructor(@Inject(TracingService) readonly tracing: TracingService) {}
}

describe('decorated methods that run before tracing is configured', () => {
  it('leave the same spans as later', async () => {
    const exporter = new InMemorySpanExporter();
    const options = async () => {
      for (let turn = 0; turn < 10; turn++) await setImmediate();
      return { serviceName: 'late', exporter };
    };
    @Module({ imports: [TracingModule.forRootAsync({ useFactory: options })], providers: [Starting, UsesService] })
    class AppModule {}

    const app = await startContext(AppModule);
    await expect(app.get(Starting).running).resolves.toBe('2');
    await app.get(UsesService).tracing.flush();
    const spans = exporter.getFinishedSpans();
    const outer = spans.find(({ name }) => name === 'Starting.outer');
    expect(spans.map(({ name }) => name).toSorted()).toEqual([
      'Starting.fail',
      'Starting.inner',
      'Starting.inner',
      'Starting.outer',
      'Starting.stream',
    ]);
    for (const span of spans.filter((it) => it !== outer)) {
      expect(span.parentSpanContext?.spanId).toBe(outer?.spanContext().spanId);
    }
    expect(spans.filter(({ name }) => name === 'Starting.inner').map(({ attributes }) => attributes)).toEqual([
      { 'code.function.name': 'Starting.inner', early: true, id: '1', 'inner.id': '1' },
      { 'code.function.name': 'Starting.inner', early: true, id: '2', 'inner.id': '2' },
    ]);
    const failed = spans.find(({ name }) => name === 'Starting.fail');
    expect(failed?.events.map(({ name }) => name)).toEqual(['exception']);
    expect(failed?.status.message).toBe('not yet');
    expect(outer?.events).toEqual([]);
    await app.close();
  });

  it.each([
    ['tracing turns out to be disabled', { enabled: false }, { recording: false, spans: 0 }],
    ['nothing is exported', { exporter: 'none' as const }, { recording: true, spans: 0 }],
    ['spans are kept in memory', { exporter: 'memory' as const }, { recording: true, spans: 6 }],
  ])('work, and leave spans if anything does, where %s', async (_, options, { recording, spans }) => {
    @Module({
      imports: [TracingModule.forRootAsync({ useFactory: () => setImmediate(options) })],
      providers: [Starting, UsesService],
    })
    class AppModule {}

    const app = await startContext(AppModule);
    await expect(app.get(Starting).running).resolves.toBe('2');
    const { tracing } = app.get(UsesService);
    expect(tracing.span('work', (span) => span.isRecording())).toBe(recording);
    await tracing.flush();
    expect(tracing.finishedSpans()).toHaveLength(spans);
    await app.close();
  });
});

describe('TracingService of an application', () => {
  it('hands out what the memory exporter holds, and carries the trace by the propagators of the options', async () => {
    @Module({
      imports: [TracingModule.forRoot({ serviceName: 'test', exporter: 'memory', propagators: ['b3', 'baggage'] })],
      providers: [UsesService],
    })
    class AppModule {}

    const app = await startContext(AppModule);
    const { tracing } = app.get(UsesService);
    const carrier = tracing.span('sender', () => tracing.inject<Record<string, string>>({}));
    expect(Object.keys(carrier)).toEqual(['b3']);
    tracing.span('receiver', () => {}, { parent: tracing.extract(carrier) });
    await tracing.flush();
    const [sender, receiver] = tracing.finishedSpans();
    expect([sender?.name, receiver?.name]).toEqual(['sender', 'receiver']);
    expect(receiver?.parentSpanContext?.spanId).toBe(sender?.spanContext().spanId);
    expect(sender?.resource.attributes['service.name']).toBe('test');
    await app.close();
  });
});
