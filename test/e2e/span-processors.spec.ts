import { Controller, Get, Logger, Module, type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Span, TracingModule, type TracingOptions } from 'nestjs-tracing';
import type { ReadableSpan, SpanProcessor } from '../../lib/options/sdk-types.js';
import { TraceRecorder } from '../support/trace-recorder.js';

type StartedSpan = Parameters<SpanProcessor['onStart']>[0];

@Controller()
class UsersController {
  @Get('users/:id')
  @Span()
  one(): string {
    return 'Ada';
  }
}

@Module({})
class AppModule {}

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

function processor(methods: Partial<SpanProcessor>): SpanProcessor {
  return {
    onStart() {},
    onEnd() {},
    forceFlush: () => Promise.resolve(),
    shutdown: () => Promise.resolve(),
    ...methods,
  };
}

/** Serves a request with these processors. Returns the spans that were exported. */
async function serve(spanProcessors: SpanProcessor[], more: TracingOptions = {}): Promise<ReadableSpan[]> {
  const traces = new TraceRecorder();
  const module = {
    module: AppModule,
    imports: [TracingModule.forRoot({ serviceName: 'test', exporter: traces, spanProcessors, ...more })],
    controllers: [UsersController],
  };
  const app = await NestFactory.create(module, { logger: false, abortOnError: false });
  apps.push(app);
  await app.listen(0, '127.0.0.1');
  const response = await fetch(`${await app.getUrl()}/users/42`);
  expect(await response.text()).toBe('Ada');
  await traces.until((spans) => spans.some(({ name }) => name === 'GET /users/:id'));
  return traces.spans;
}

describe('span processors of the application', () => {
  it('may replace an attribute of a span that starts: it is not worked out again at the end', async () => {
    const redact = (span: StartedSpan) => {
      for (const key of ['url.path', 'url.full']) if (key in span.attributes) span.setAttribute(key, 'REDACTED');
    };
    const spans = await serve([processor({ onStart: redact })]);
    // The test itself sends the request.
    const server = spans.find(({ name }) => name === 'GET /users/:id');
    const client = spans.find(({ name }) => name === 'GET');
    expect(server?.attributes).toMatchObject({ 'url.path': 'REDACTED', 'http.route': '/users/:id' });
    expect(client?.attributes).toMatchObject({ 'url.full': 'REDACTED', 'http.response.status_code': 200 });
  });

  it('see each span from its start with the attributes of the request, and before it is exported', async () => {
    const log: string[] = [];
    const spans = await serve([
      processor({
        onStart: (span: StartedSpan) => void log.push(`start ${span.name} ${String(span.attributes['url.path'])}`),
        onEnding: (span: StartedSpan) => void span.setAttribute('team', 'shop'),
        onEnd: (span) => void log.push(`end ${span.name}`),
      }),
    ]);
    expect(log).toEqual([
      'start GET undefined',
      'start GET /users/42',
      'start UsersController.one undefined',
      'end UsersController.one',
      'end GET /users/:id',
      'end GET',
    ]);
    expect(spans.filter(({ attributes }) => attributes.team === 'shop')).toHaveLength(spans.length);
  });

  it('may throw and reject without any effect on the application and on other processors', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => {});
    const seen: string[] = [];
    const fail = () => {
      throw new Error('broken');
    };
    const reject = () => Promise.reject(new Error('broken')) as never;
    const spans = await serve([
      processor({ onStart: fail, onEnding: fail, onEnd: fail, forceFlush: reject, shutdown: reject }),
      processor({ onStart: reject, onEnd: reject }),
      processor({ onEnd: ({ name }) => void seen.push(name) }),
    ]);
    expect(seen).toContain('GET /users/:id');
    expect(spans.map(({ name }) => name)).toContain('GET /users/:id');
    await expect(apps.pop()?.close()).resolves.toBeUndefined();
    expect(warn.mock.calls.flat().join()).toContain('A span processor threw and was ignored');
    warn.mockRestore();
  });

  it('are flushed and shut down with the application', async () => {
    const log: string[] = [];
    await serve([processor({ shutdown: () => Promise.resolve(void log.push('shutdown')) })]);
    expect(log).toEqual([]);
    await apps.pop()?.close();
    expect(log).toEqual(['shutdown']);
  });

  it.each([
    ['nothing of a list', { onStart() {} }, /spanProcessors/],
    ['a list with another object', [{}], /spanProcessors\[0\].*onStart\(\)/],
  ])('are refused at the start: %s', async (_, spanProcessors, message) => {
    const imports = [TracingModule.forRoot({ spanProcessors: spanProcessors as never })];
    const module = { module: AppModule, imports };
    await expect(NestFactory.createApplicationContext(module, { logger: false, abortOnError: false })).rejects.toThrow(
      message,
    );
  });
});
