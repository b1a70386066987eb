import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, InternalServerErrorException, Param, Res } from '@nestjs/common';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import { NoSpan, Span, type TracingOptions } from 'nestjs-tracing';
import { setTimeout as delay } from 'node:timers/promises';
import { firstValueFrom, lastValueFrom, Subject } from 'rxjs';
import type { ServerResponse } from 'node:http';
import { startGrpcApp } from '../support/grpc-app.js';
import { httpPlatforms, startHttpApp, withHttpApp, type HttpApp } from '../support/http-app.js';
import { startNextService, type NextService } from '../support/next-service.js';
import { RawClient } from '../support/raw-client.js';
import { Scrape } from '../support/scrape.js';
import { ask, EchoController } from '../support/scripted-echo.js';
import { failed, handler, server } from '../support/trace-tree.js';

const MARK = 'tailsampling.policy';
const TRACE = 'a'.repeat(32);
/** A `traceparent` whose trace id is random, and whose trace is not sampled. */
const NOT_SAMPLED = /-02$/;
const CALLER = 'b'.repeat(16);

/** Opens the gate that a waiting handler, or work in the background, waits for. */
const gate = new Subject<void>();
/** Emits when work in the background is done. */
const done = new Subject<unknown>();
let next: NextService;

@Injectable()
class Work {
  @Span()
  step(): string {
    return 'done';
  }

  @Span()
  fail(): never {
    throw new Error('broke');
  }

  @Span({ root: true })
  failApart(): never {
    throw new Error('broke apart');
  }

  /** Returns before the step that it starts. */
  @Span()
  schedule(): string {
    setImmediate(() => done.next(this.step()));
    return 'scheduled';
  }
}

@Controller('work')
class WorkController {
  constructor(private readonly work: Work) {}

  @Get('well')
  well(): string {
    return this.work.step();
  }

  @Get('broken')
  broken(): never {
    this.work.step();
    throw new InternalServerErrorException('broken');
  }

  @Get('caught/:how')
  caught(@Param('how') how: 'fail' | 'failApart'): string {
    try {
      return this.work[how]();
    } catch {
      return 'caught';
    }
  }

  @Get('scheduled')
  async scheduled(): Promise<string> {
    const stepped = firstValueFrom(done);
    this.work.schedule();
    await stepped;
    return this.caught('fail');
  }

  @Get('slow')
  async slow(): Promise<string> {
    await delay(60);
    return this.work.step();
  }

  /** Answers, and goes on to work. */
  @Get('background/:outcome')
  background(@Param('outcome') outcome: 'well' | 'broken'): string {
    void this.workLater();
    return outcome === 'well' ? this.work.step() : this.caught('fail');
  }

  private async workLater(): Promise<void> {
    await firstValueFrom(gate);
    const carrier: Record<string, string> = {};
    propagation.inject(context.active(), carrier);
    this.work.step();
    done.next(carrier['traceparent']);
  }

  @Get('calling')
  async calling(): Promise<unknown> {
    const first = (await (await fetch(next.url)).json()) as { traceparent: string };
    this.caught('fail');
    const second = (await (await fetch(next.url)).json()) as { traceparent: string };
    return [first.traceparent, second.traceparent];
  }

  @Get('streamed')
  streamed(@Res() response: ServerResponse & { raw?: ServerResponse }): void {
    const raw = response.raw ?? response;
    raw.writeHead(200).write('first');
    this.work.step();
    void firstValueFrom(gate).then(() => raw.destroy(new Error('broke off')));
  }

  @Get('waits')
  async waits(): Promise<void> {
    this.work.step();
    await firstValueFrom(gate);
  }

  @Get('quiet')
  @NoSpan()
  quiet(): string {
    return 'quiet';
  }
}

const errors = { ratio: 0, keep: { errors: true } };
const sampled = (sampler: TracingOptions['sampler']): Omit<TracingOptions, 'exporter'> => ({
  tracer: 'builtin',
  sampler,
});
const marks = (http: HttpApp) => http.traces.spans.map(({ attributes }) => attributes[MARK]);

beforeEach(async () => {
  next = await startNextService();
});
afterEach(() => next.close());

describe.each(httpPlatforms)('traces that a ratio does not sample on %s', (platform) => {
  const step = handler('Work.step');
  const caught = failed(handler('Work.fail'), 'Error: broke');
  let http: HttpApp;

  async function start(sampler: TracingOptions['sampler'], tracing: Omit<TracingOptions, 'exporter'> = {}) {
    http = await startHttpApp(platform, {
      controllers: [WorkController],
      providers: [Work],
      tracing: { ...sampled(sampler), ...tracing },
    });
  }
  afterEach(() => http.close());

  it('are kept as a whole if the answer is 500, and not if it is 200', async () => {
    await start(errors);
    await http.request('/work/well');
    await http.request('/work/broken');
    await http.traces.until((spans) => spans.length === 3);
    expect(marks(http)).toEqual(['errors', 'errors', 'errors']);
    const exception = 'InternalServerErrorException: broken';
    await http.traces.expect(
      server('GET /work/broken', 500, failed(handler('WorkController.broken', step), exception)),
    );
  });

  it('are kept if only an exception that the application has caught has failed', async () => {
    await start(errors);
    await http.request('/work/caught/fail');
    await http.traces.expect(server('GET /work/caught/:how', 200, handler('WorkController.caught', caught)));
  });

  it('are not kept because a new trace within them is', async () => {
    await start(errors);
    await http.request('/work/caught/failApart');
    await http.traces.expect(failed(handler('Work.failApart'), 'Error: broke apart'));
  });

  it('are kept if the request was slow', async () => {
    await start({ ratio: 0, keep: { slowerThan: 50 } });
    await http.request('/work/slow');
    await http.traces.until((spans) => spans.length === 3);
    expect(marks(http)).toEqual(['slowerThan', 'slowerThan', 'slowerThan']);
    await http.traces.expect(server('GET /work/slow', 200, handler('WorkController.slow', step)));
  });

  it('have the spans below a span that has ended before', async () => {
    await start(errors);
    await http.request('/work/scheduled');
    await http.traces.expect(
      server('GET /work/scheduled', 200, handler('WorkController.scheduled', handler('Work.schedule', step), caught)),
    );
  });

  it.each([
    ['well', false],
    ['broken', true],
  ])('of a request that went %s have its work in the background if they are kept', async (outcome, isKept) => {
    await start(errors);
    await http.request(`/work/background/${outcome}`);
    await http.traces.untilOpen(0);
    const carried = firstValueFrom(done);
    gate.next();
    expect(await carried).toMatch(NOT_SAMPLED);
    const request = server('GET /work/background/:outcome', 200, handler('WorkController.background', caught, step));
    await http.traces.expect(...(isKept ? [request] : []));
  });

  it('are propagated as not sampled, before and after a failure', async () => {
    await start(errors, { http: { client: {} } });
    const { body } = await http.request('/work/calling');
    expect(JSON.parse(body)).toEqual([expect.stringMatching(NOT_SAMPLED), expect.stringMatching(NOT_SAMPLED)]);
    await http.traces.until((spans) => spans.length === 5);
    const traceIds = http.traces.spans.map((span) => span.spanContext().traceId);
    expect(new Set([...traceIds, (JSON.parse(body) as string[])[0]!.split('-')[1]]).size).toBe(1);
    expect(http.traces.spans.map(({ kind }) => kind).filter((kind) => kind === SpanKind.CLIENT)).toHaveLength(2);
  });

  it('are kept if a stream breaks off', async () => {
    await start(errors);
    const client = await RawClient.connect(http.port);
    client.send('GET /work/streamed');
    await client.saw('first');
    expect(http.traces.spans).toEqual([]);
    gate.next();
    await client.closed();
    await http.traces.untilOpen(0);
    expect(new Set(http.traces.take().map(({ name }) => name))).toEqual(
      new Set(['Work.step', 'WorkController.streamed', 'GET /work/streamed']),
    );
  });

  it('are decided if the client disconnects', async () => {
    await start(errors);
    const client = await RawClient.connect(http.port);
    client.send('GET /work/waits');
    await http.traces.untilOpen(3);
    client.leave();
    gate.next();
    await http.traces.untilOpen(0);
    expect(http.traces.take()).toEqual([]);
  });

  it.each([
    [false, '00', 0],
    [true, '00', 3],
    [false, '01', 3],
  ])('follow a caller (partialTraces: %s) with the flags %s', async (partialTraces, flags, count) => {
    await start({ ratio: 0, keep: { errors: true, partialTraces } });
    await http.request('/work/broken', { headers: { traceparent: `00-${TRACE}-${CALLER}-${flags}` } });
    // The spans of this request have arrived when a later trace is there.
    await http.request('/work/broken');
    await http.traces.until((spans) => spans.length === count + 3);
    expect(http.traces.take().filter((span) => span.spanContext().traceId === TRACE)).toHaveLength(count);
  });

  it('have exemplars only if they are kept', async () => {
    await start(errors, { metrics: { path: '/metrics' } });
    await http.request('/work/well');
    await http.request('/work/broken');
    const found = await Scrape.counted(`${http.url}/metrics`, 'http_server_request_duration_seconds', 2);
    const request = http.traces.spans.find(({ kind }) => kind === SpanKind.SERVER)!.spanContext();
    expect(found.exemplars('http_server_request_duration_seconds_bucket').map((it) => it.exemplar.labels)).toEqual([
      { trace_id: request.traceId, span_id: request.spanId },
    ]);
  });

  it('are not kept if the request is kept out of traces', async () => {
    await start({ ratio: 0, keep: { slowerThan: 1 } });
    await http.request('/work/quiet');
    await http.request('/work/slow');
    await http.traces.until((spans) => spans.length === 3);
    expect(http.traces.take().map(({ name }) => name)).toEqual(['Work.step', 'WorkController.slow', 'GET /work/slow']);
  });

  it('are decided at shutdown by what is known of them', async () => {
    await start({ ratio: 0, keep: { slowerThan: 50 } });
    const client = await RawClient.connect(http.port);
    client.send('GET /work/waits');
    await http.traces.untilOpen(3);
    await delay(60);
    await http.close();
    expect(http.traces.spans.map(({ name }) => name)).toContain('Work.step');
  });
});

describe('traces that a ratio does not sample', () => {
  it('of two applications are kept each for itself', async () => {
    const options = { controllers: [WorkController], providers: [Work], tracing: sampled(errors) };
    await withHttpApp('Express', options, async (first) => {
      await withHttpApp('Fastify', options, async (second) => {
        await Promise.all([first.request('/work/well'), second.request('/work/broken')]);
        await first.traces.until((spans) => spans.length === 3);
        expect(new Set(first.traces.spans.map(({ name }) => name))).toEqual(
          new Set(['GET /work/broken', 'WorkController.broken', 'Work.step']),
        );
      });
    });
  });

  it('of gRPC calls are kept if the call fails', async () => {
    const grpc = await startGrpcApp({ controllers: [EchoController], tracing: sampled(errors) });
    try {
      await lastValueFrom(grpc.echo.unary({}, ask('answers')));
      await expect(lastValueFrom(grpc.echo.unary({}, ask('throws')))).rejects.toThrow('Internal server error');
      await grpc.traces.until((spans) => spans.length > 0);
      await grpc.traces.untilOpen(0);
      const spans = grpc.traces.take();
      // The server is called with flags that say "not sampled", so that only the client's part is kept.
      expect(spans.map(({ kind }) => kind)).toEqual([SpanKind.CLIENT]);
      await expect(lastValueFrom(grpc.plain.unary({}, ask('throws')))).rejects.toThrow('Internal server error');
      await grpc.traces.until((found) => found.length === 2);
      expect(grpc.traces.take().map(({ kind }) => kind)).toEqual([SpanKind.INTERNAL, SpanKind.SERVER]);
    } finally {
      await grpc.close();
    }
  });

  it('are refused with the tracer of the SDK', async () => {
    const tracing = { ...sampled(errors), tracer: 'sdk' as const };
    await expect(startHttpApp('Express', { tracing })).rejects.toThrow('Tracing option "sampler.keep"');
    expect(trace.getActiveSpan()).toBeUndefined();
  });
});
