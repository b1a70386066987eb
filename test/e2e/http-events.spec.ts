import { describe, expect, it } from '@jest/globals';
import {
  All,
  Controller,
  Get,
  Module,
  Req,
  Sse,
  type INestApplication,
  type NestApplicationOptions,
} from '@nestjs/common';
import { trace } from '@opentelemetry/api';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { TracingModule } from 'nestjs-tracing';
import { NestFactory } from '@nestjs/core';
import { finalize, interval, map, type Observable } from 'rxjs';
import type { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { httpPlatforms, untraced, withHttpApp } from '../support/http-app.js';
import { RawClient } from '../support/raw-client.js';
import { TraceRecorder } from '../support/trace-recorder.js';
import { handler, server } from '../support/trace-tree.js';

type Next = () => void;

const active = () => trace.getActiveSpan()?.spanContext().traceId ?? 'none';

/** The trace that was active at each event, by the name of the event. */
type Moments = Record<string, string>;

function watchBody(moments: Moments, request: EventEmitter): Promise<void> {
  request.on('data', () => (moments['request data'] = active()));
  request.on('close', () => (moments['request close'] = active()));
  return new Promise((resolve) => {
    request.on('end', () => {
      moments['request end'] = active();
      resolve();
    });
  });
}

function watchAnswer(moments: Moments, response: EventEmitter): Promise<void> {
  response.on('finish', () => (moments['response finish'] = active()));
  return new Promise((resolve) => {
    response.on('close', () => {
      moments['response close'] = active();
      resolve();
    });
  });
}

@Controller('events')
class EventsController {
  static torndown: (traceId: string) => void = () => {};

  @All('hook')
  hook(): { traceId: string } {
    return { traceId: active() };
  }

  @Get('listeners')
  listeners(@Req() request: IncomingMessage & { raw?: IncomingMessage; res?: ServerResponse }): object {
    const raw = request.raw ?? request;
    return { request: countListeners(raw), keys: Object.keys(raw).toSorted() };
  }

  /** Creates an object that inherits from the request, as some libraries do. */
  @Get('derived')
  derived(@Req() request: IncomingMessage & { raw?: IncomingMessage }): string {
    const raw = request.raw ?? request;
    let traceId = 'not heard';
    raw.once('made up', () => (traceId = active()));
    (Object.create(Object.create(raw) as object) as IncomingMessage).emit('made up');
    return traceId;
  }

  @Sse('stream')
  stream(): Observable<{ data: string }> {
    return interval(1).pipe(
      map(() => ({ data: active() })),
      finalize(() => EventsController.torndown(active())),
    );
  }
}

function countListeners(emitter: EventEmitter): Record<string, number> {
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]));
}

const nest: NestApplicationOptions = { bodyParser: false };

describe.each(httpPlatforms)('events on %s', (platform) => {
  it('of a request and its response come in the trace of the request', async () => {
    const moments: Moments = {};
    let closed: Promise<void> | undefined;
    const prepare = (app: INestApplication) => {
      // Webhook verifiers and body parsers work like this: they continue when they have read the body.
      app.use((request: EventEmitter, response: EventEmitter, next: Next) => {
        closed = watchAnswer(moments, response);
        void watchBody(moments, request);
        request.on('end', next);
      });
    };
    await withHttpApp(platform, { controllers: [EventsController], nest, prepare }, async (http) => {
      const client = await RawClient.connect(http.port);
      // Fastify would read the body of a POST itself.
      client.write('GET /events/hook HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nConnection: close\r\n\r\nab');
      client.write('cd');
      const answer = await client.closed();
      await closed;
      await http.traces.until((spans) => spans.length >= 2);
      const { traceId } = http.traces.take()[0]!.spanContext();
      expect(answer).toContain(traceId);
      const names = ['request data', 'request end', 'request close', 'response finish', 'response close'];
      expect(moments).toEqual(Object.fromEntries(names.map((name) => [name, traceId])));
    });
  });

  it('leave a request with as many listeners, and the same keys, as without tracing', async () => {
    const answers: string[] = [];
    for (const tracing of [false, {}] as const) {
      await withHttpApp(platform, { controllers: [EventsController], tracing }, async (http) => {
        answers.push((await http.request('/events/listeners')).body);
        const listeners = server('GET /events/listeners', 200, handler('EventsController.listeners'));
        await http.traces.expect(...(tracing ? [listeners] : []));
      });
    }
    expect(JSON.parse(answers[0]!)).toMatchObject({ request: {}, keys: expect.arrayContaining(['rawHeaders']) });
    expect(answers[1]).toBe(answers[0]);
  });

  it('reach the listeners of a request from an object that was derived from it', async () => {
    await withHttpApp(platform, { controllers: [EventsController] }, async (http) => {
      const { body, status } = await http.request('/events/derived');
      await http.traces.until((spans) => spans.length >= 2);
      expect([status, body]).toEqual([200, http.traces.take()[0]!.spanContext().traceId]);
    });
  });

  it('tear a stream down in its trace when its client leaves', async () => {
    const tornDown = new Promise<string>((resolve) => (EventsController.torndown = resolve));
    await withHttpApp(platform, { controllers: [EventsController] }, async (http) => {
      const abort = new AbortController();
      const response = await untraced(() => fetch(`${http.url}/events/stream`, { signal: abort.signal }));
      const reader = response.body!.getReader();
      const text = new TextDecoder().decode((await reader.read()).value);
      abort.abort();
      const traceId = await tornDown;
      expect(traceId).toMatch(/^[0-9a-f]{32}$/);
      expect(text).toContain(traceId);
      await http.traces.until((spans) => spans.length >= 2);
      http.traces.reset();
    });
  });
});

describe('events over HTTP/2', () => {
  it('of a request and its response come in the trace of the request', async () => {
    const moments: Moments = {};
    let closed: Promise<void> | undefined;
    const traces = new TraceRecorder();
    @Module({
      imports: [TracingModule.forRoot({ exporter: traces, http: { client: false } })],
      controllers: [EventsController],
    })
    class AppModule {}
    const app = await NestFactory.create(AppModule, new FastifyAdapter({ http2: true } as never), {
      ...nest,
      logger: false,
    });
    app.use((request: EventEmitter, response: EventEmitter, next: Next) => {
      closed = watchAnswer(moments, response);
      void watchBody(moments, request);
      request.on('end', next);
    });
    await app.listen(0, '127.0.0.1');
    const session = connect(`http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`);
    try {
      const stream = session.request({ ':method': 'GET', ':path': '/events/hook' }, { endStream: false });
      stream.end('abcd');
      let body = '';
      for await (const chunk of stream.setEncoding('utf8')) body += chunk as string;
      await closed;
      await traces.until((spans) => spans.length >= 2);
      const { traceId } = traces.spans[0]!.spanContext();
      expect(body).toContain(traceId);
      expect(new Set(Object.values(moments))).toEqual(new Set([traceId]));
      expect(Object.keys(moments)).toEqual(
        expect.arrayContaining(['request data', 'request end', 'response finish', 'response close']),
      );
    } finally {
      session.close();
      await app.close();
    }
  });
});
