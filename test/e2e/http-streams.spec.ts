import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Body,
  Controller,
  Get,
  Post,
  Req,
  Res,
  Sse,
  StreamableFile,
  type MessageEvent,
  type NestApplicationOptions,
} from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { EventEmitter, once } from 'node:events';
import { createReadStream } from 'node:fs';
import { Agent, createServer, get, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Readable } from 'node:stream';
import { interval, map, Observable, of, take, Subject } from 'rxjs';
import { httpPlatforms, startHttpApp, withHttpApp, type HttpApp, type HttpAppOptions } from '../support/http-app.js';
import { RawClient } from '../support/raw-client.js';
import { failed, handler, server } from '../support/trace-tree.js';
import { waitFor } from '../support/wait-for.js';
import { certificate, privateKey } from '../support/certificate.js';

type Reply = ServerResponse | { raw: ServerResponse; hijack(): void };
type Incoming = IncomingMessage | { raw: IncomingMessage };

/** Signals to tests how far a handler is, and to handlers when they may continue. */
const stage = new EventEmitter();
/** Emits the events of a handler that does not create its own observable. */
const subject = new Subject<MessageEvent>();

function raw(response: Reply): ServerResponse {
  if (!('raw' in response)) return response;
  response.hijack();
  return response.raw;
}

@Controller('streams')
class StreamsController {
  @Get('file')
  file() {
    return new StreamableFile(createReadStream(import.meta.filename));
  }
  @Get('slow')
  slow(@Res() response: Reply) {
    const stream = raw(response);
    stream.write('first');
    stage.once('go on', () => stream.end('last'));
  }
  @Get('broken')
  broken() {
    return new StreamableFile(
      new Readable({
        read() {
          this.push('first');
          setImmediate(() => this.destroy(new Error('disk broke')));
        },
      }),
    );
  }
  @Get('destroyed')
  destroyed(@Res() response: Reply) {
    const stream = raw(response);
    stream.write('first');
    setImmediate(() => stream.destroy(new Error('gave up')));
  }
  @Get('hung-up')
  hungUp(@Res() response: Reply) {
    raw(response).socket!.destroy();
  }
  @Get('stuck')
  stuck() {
    return new Promise((resolve) => {
      stage.once('go on', () => resolve('too late'));
      stage.emit('stuck');
    });
  }
  @Get('quick')
  quick() {
    return 'quick';
  }
  @Post('upload')
  upload(@Body() body: unknown) {
    return body;
  }
  @Get('error')
  error() {
    throw new Error('broke');
  }
  @Get('listeners')
  listeners(@Req() request: Incoming) {
    const { socket } = 'raw' in request ? request.raw : request;
    return { close: socket.listenerCount('close') };
  }
  @Sse('three-events')
  threeEvents(): Observable<MessageEvent> {
    return interval(1).pipe(
      take(3),
      map((data) => ({ data: String(data) })),
    );
  }
  @Sse('endless-events')
  endlessEvents(): Observable<MessageEvent> {
    return new Observable((subscriber) => {
      subscriber.next({ data: 'hello' });
      return () => stage.emit('unsubscribed');
    });
  }
  @Sse('events-of-a-subject')
  eventsOfASubject(): Subject<MessageEvent> {
    return subject;
  }
  @Sse('failing-events')
  failingEvents(): Observable<MessageEvent> {
    return new Observable((subscriber) => {
      subscriber.next({ data: 'hello' });
      setImmediate(() => subscriber.error(new Error('no more events')));
    });
  }
  @Sse('events-later')
  async eventsLater(): Promise<Observable<MessageEvent>> {
    await new Promise(setImmediate);
    return of({ data: 'late' });
  }
}

const controllers = [StreamsController];
const disconnected = ['client disconnected'];

function streamsHandler(method: string) {
  return handler(`StreamsController.${method}`);
}

describe.each(httpPlatforms)('responses on %s', (platform) => {
  describe('over HTTP/1.1', () => {
    let http: HttpApp;
    beforeAll(async () => {
      http = await startHttpApp(platform, { controllers });
    });
    afterAll(() => http.close());
    beforeEach(() => void stage.removeAllListeners());

    it('keep the span open until the last byte, not until the handler is done', async () => {
      const client = await RawClient.connect(http.port);
      client.send('GET /streams/slow', ['Connection: close']);
      await client.saw('first');
      expect(http.traces.spans.map((span) => span.name)).toEqual(['StreamsController.slow']);
      expect(http.traces.open).toEqual(['GET']);
      stage.emit('go on');
      await client.closed();
      await http.traces.expect(server('GET /streams/slow', 200, streamsHandler('slow')));
    });

    it('may be files', async () => {
      const { body } = await http.request('/streams/file');
      expect(body).toContain('may be files');
      await http.traces.expect(server('GET /streams/file', 200, streamsHandler('file')));
    });

    it('that the application breaks off are not blamed on the client', async () => {
      for (const path of ['broken', 'destroyed', 'hung-up']) {
        const client = await RawClient.connect(http.port);
        client.send(`GET /streams/${path}`);
        await client.closed();
      }
      const gaveUp = { status: 'ERROR: gave up', events: ['response aborted', 'exception Error: gave up'] };
      await http.traces.expect(
        server('GET /streams/broken', { code: 200, events: ['response aborted'] }, streamsHandler('broken')),
        server(
          'GET /streams/destroyed',
          { code: 200, ...gaveUp, attributes: { 'error.type': 'Error' } },
          streamsHandler('destroyed'),
        ),
        server('GET /streams/hung-up', { code: undefined, events: ['response aborted'] }, streamsHandler('hungUp')),
      );
    });

    it.each(['leave', 'reset'] as const)('have no status code where the client leaves before it: %s', async (how) => {
      const client = await RawClient.connect(http.port);
      const stuck = once(stage, 'stuck');
      client.send('GET /streams/stuck');
      await stuck;
      client[how]();
      await http.traces.until((spans) => spans.length === 1);
      stage.emit('go on');
      await http.traces.expect(
        server('GET /streams/stuck', { code: undefined, events: disconnected }, streamsHandler('stuck')),
      );
    });

    it.each(['leave', 'reset'] as const)('have one where the client leaves amid the body: %s', async (how) => {
      const client = await RawClient.connect(http.port);
      client.send('GET /streams/slow');
      await client.saw('first');
      client[how]();
      await http.traces.expect(
        server('GET /streams/slow', { code: 200, events: disconnected }, streamsHandler('slow')),
      );
    });

    it('end with an upload that the client breaks off', async () => {
      const client = await RawClient.connect(http.port);
      client.send('POST /streams/upload', ['Content-Type: application/json', 'Content-Length: 100'], '{"a":');
      await waitFor({ expected: 'an open span', look: () => http.traces.open.length });
      client.leave();
      if (platform === 'Fastify') {
        await http.traces.expect(server('POST /streams/upload', { code: undefined, events: disconnected }));
      } else {
        // The body parser notices the abort first, so Express answers a client that has disconnected.
        const events = ['exception BadRequestError: request aborted', ...disconnected];
        await http.traces.expect(server('POST', { code: 400, events }));
      }
    });

    it('of one connection each end their span once', async () => {
      const client = await RawClient.connect(http.port);
      for (let i = 0; i < 3; i++) client.send('GET /streams/quick');
      client.send('GET /streams/error');
      await client.saw('HTTP/1.1 ', 4);
      const quick = server('GET /streams/quick', 200, streamsHandler('quick'));
      const error = server('GET /streams/error', 500, failed(streamsHandler('error'), 'Error: broke'));
      await http.traces.expect(quick, quick, quick, error);
      client.leave();
    });

    it('that wait behind another when the client leaves end their span as well', async () => {
      const client = await RawClient.connect(http.port);
      const stuck = once(stage, 'stuck');
      client.send('GET /streams/stuck').send('GET /streams/quick').send('GET /streams/error');
      await stuck;
      await http.traces.until((spans) => spans.length === 2);
      client.leave();
      await http.traces.until((spans) => spans.length === 5);
      stage.emit('go on');
      await http.traces.untilOpen(0);
      const servers = http.traces.spans.filter((span) => span.name.startsWith('GET'));
      expect(servers.map((span) => span.name).toSorted()).toEqual([
        'GET /streams/error',
        'GET /streams/quick',
        'GET /streams/stuck',
      ]);
      for (const span of servers) expect(span.events.map((event) => event.name)).toEqual(disconnected);
      expect(http.traces.take()).toHaveLength(6);
    });

    it('over a connection that is kept for hundreds of requests add no listener to it', async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const counts: number[] = [];
      const sockets = new Set<Socket>();
      for (let i = 0; i < 300; i++) {
        const response = await new Promise<IncomingMessage>((resolve, reject) => {
          get(`${http.url}/streams/listeners`, { agent }, resolve).on('error', reject);
        });
        sockets.add(response.socket);
        counts.push((JSON.parse(await text(response)) as { close: number }).close);
      }
      agent.destroy();
      expect(sockets.size).toBe(1);
      expect(new Set(counts).size).toBe(1);
      await http.traces.until((spans) => spans.length === 600);
      expect(http.traces.open).toEqual([]);
      http.traces.take();
    });

    it('that are events keep the span open until the last of them', async () => {
      const { body } = await http.request('/streams/three-events');
      expect(body.match(/data:/g)).toHaveLength(3);
      await http.traces.expect(server('GET /streams/three-events', 200, streamsHandler('threeEvents')));
      await http.request('/streams/events-later');
      await http.traces.expect(server('GET /streams/events-later', 200, streamsHandler('eventsLater')));
    });

    it('that are events end with the client, if it leaves', async () => {
      const unsubscribed = once(stage, 'unsubscribed');
      const client = await RawClient.connect(http.port);
      client.send('GET /streams/endless-events');
      await client.saw('hello');
      expect(http.traces.open.toSorted()).toEqual(['GET', 'StreamsController.endlessEvents']);
      client.leave();
      await unsubscribed;
      await http.traces.expect(
        server('GET /streams/endless-events', { code: 200, events: disconnected }, streamsHandler('endlessEvents')),
      );
    });

    it('that are the events of a subject last as long as the client listens', async () => {
      const client = await RawClient.connect(http.port);
      client.send('GET /streams/events-of-a-subject');
      await http.traces.untilOpen(2);
      await waitFor({ expected: 'a subscriber of the events', look: () => subject.observed });
      subject.next({ data: 'hello' });
      await client.saw('hello');
      expect(http.traces.open.toSorted()).toEqual(['GET', 'StreamsController.eventsOfASubject']);
      client.leave();
      const handled = streamsHandler('eventsOfASubject');
      await http.traces.expect(
        server('GET /streams/events-of-a-subject', { code: 200, events: disconnected }, handled),
      );
      expect(subject.observed).toBe(false);
    });

    it('that are events record what breaks them', async () => {
      await http.request('/streams/failing-events');
      await http.traces.expect(
        server('GET /streams/failing-events', 200, failed(streamsHandler('failingEvents'), 'Error: no more events')),
      );
    });
  });

  it('to upgrades are left to who handles them', async () => {
    const options: HttpAppOptions = {
      controllers,
      prepare: (app) =>
        (app.getHttpServer() as EventEmitter).on('upgrade', (_request: unknown, socket: Socket) => {
          socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\nhi');
        }),
    };
    await withHttpApp(platform, options, async (http) => {
      const client = await RawClient.connect(http.port);
      client.send('GET /streams/quick', ['Connection: Upgrade', 'Upgrade: test']);
      await expect(client.closed()).resolves.toMatch(/101 Switching[^]*hi$/);
      await http.request('/streams/quick');
      await http.traces.expect(server('GET /streams/quick', 200, streamsHandler('quick')));
    });
  });

  it('over https say so', async () => {
    const tls = { key: privateKey, cert: certificate };
    const options: HttpAppOptions =
      platform === 'Express'
        ? { controllers, nest: { httpsOptions: tls } satisfies NestApplicationOptions }
        : { controllers, adapter: () => new FastifyAdapter({ https: tls }) };
    await withHttpApp(platform, options, async (http) => {
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        httpsRequest({ port: http.port, host: '127.0.0.1', path: '/streams/quick', ca: certificate }, resolve)
          .on('error', reject)
          .end();
      });
      await text(response);
      const attributes = { 'url.scheme': 'https', 'server.port': http.port, 'network.peer.address': '127.0.0.1' };
      await http.traces.expect(server('GET /streams/quick', { code: 200, attributes }, streamsHandler('quick')));
    });
  });

  it('also come from a server that Nest did not make', async () => {
    // Fastify creates a server for each address of localhost, and serverless wrappers of Express create one as well.
    await withHttpApp(platform, { controllers }, async (http) => {
      const instance = http.app.getHttpAdapter().getInstance() as RequestListener & { routing?: RequestListener };
      const other = createServer(instance.routing ?? instance).listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as AddressInfo;
      await (await fetch(`http://127.0.0.1:${port}/streams/quick`)).text();
      const attributes = { 'server.port': port };
      await http.traces.expect(server('GET /streams/quick', { code: 200, attributes }, streamsHandler('quick')));
      other.close();
      other.closeAllConnections();
    });
  });
});

describe('responses over HTTP/2', () => {
  let http: HttpApp;
  beforeAll(async () => {
    http = await startHttpApp('Fastify', { controllers, adapter: () => new FastifyAdapter({ http2: true }) });
  });
  afterAll(() => http.close());
  beforeEach(() => void stage.removeAllListeners());

  it('are traced like others', async () => {
    const session = connectHttp2(http.url);
    const stream = session.request({ ':path': '/streams/quick?a=1' });
    await text(stream);
    await http.traces.expect(
      server(
        'GET /streams/quick',
        {
          code: 200,
          attributes: {
            'url.path': '/streams/quick',
            'url.query': 'a=1',
            'url.scheme': 'http',
            'network.protocol.version': '2',
            'server.address': '127.0.0.1',
            'server.port': http.port,
            'client.address': '127.0.0.1',
            'network.peer.address': '127.0.0.1',
          },
        },
        streamsHandler('quick'),
      ),
    );
    session.request({ ':path': '/streams/quick' }).resume();
    session.request({ ':path': '/nowhere' }).resume();
    await http.traces.expect(server('GET /streams/quick', 200, streamsHandler('quick')), server('GET', 404));
    session.close();
  });

  it('tell a client that resets its stream, or its connection', async () => {
    for (const leave of ['stream', 'connection']) {
      const session = connectHttp2(http.url);
      session.on('error', () => {});
      const stuck = once(stage, 'stuck');
      const stream = session.request({ ':path': '/streams/stuck' });
      stream.on('error', () => {});
      await stuck;
      if (leave === 'stream') stream.close(8);
      else session.destroy();
      await http.traces.until((spans) => spans.length > 0);
      stage.emit('go on');
      await http.traces.expect(
        server('GET /streams/stuck', { code: undefined, events: disconnected }, streamsHandler('stuck')),
      );
      session.destroy();
    }
  });

  it('have a status code where the client leaves amid the body', async () => {
    const session = connectHttp2(http.url);
    const stream = session.request({ ':path': '/streams/endless-events' });
    stream.on('error', () => {});
    const unsubscribed = once(stage, 'unsubscribed');
    await once(stream, 'data');
    stream.close(8);
    await unsubscribed;
    await http.traces.expect(
      server('GET /streams/endless-events', { code: 200, events: disconnected }, streamsHandler('endlessEvents')),
    );
    session.close();
  });
});

async function text(stream: AsyncIterable<unknown>): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += String(chunk);
  return all;
}
