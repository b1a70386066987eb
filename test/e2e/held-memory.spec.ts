import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Body, Controller, Get, Injectable, Post, type INestApplication } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { NoSpan, Span, TracingService } from 'nestjs-tracing';
import { of, tap } from 'rxjs';
import { createServer, get, type Agent, Agent as HttpAgent, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { heapGrowth, heapUsed } from '../support/heap.js';
import {
  httpPlatforms,
  untraced,
  withHttpApp,
  type HttpApp,
  type HttpAppOptions,
  type Platform,
} from '../support/http-app.js';
import { scale } from '../support/scale.js';

const MIB = 2 ** 20;
const RUNS = 2500 * scale;
const REQUESTS = 12;
const BODY_SIZE = MIB / 2;

/** Does a step, which schedules the next one itself. */
abstract class Poller {
  #left = 0;
  #done: () => void = () => {};

  abstract step(): unknown;

  /** Resolves with the growth of the heap while the last step is still running: memory that this step holds would leak. */
  async growth(): Promise<number> {
    this.#left = RUNS;
    const before = await heapUsed();
    return new Promise((resolve) => {
      this.#done = () => void heapUsed().then((after) => resolve((after - before) / MIB));
      this.step();
    });
  }

  protected next(): void {
    if (this.#left-- === 0) this.#done();
    else setImmediate(() => this.step());
  }
}

@Injectable()
class SpanPoller extends Poller {
  @Span()
  async step(): Promise<void> {
    this.next();
  }
}

@Injectable()
class SyncPoller extends Poller {
  @Span()
  step(): void {
    this.next();
  }
}

@Injectable()
class RootPoller extends Poller {
  @Span({ root: true })
  async step(): Promise<void> {
    this.next();
  }
}

@Injectable()
class SilentPoller extends Poller {
  @NoSpan()
  async step(): Promise<void> {
    this.next();
  }
}

@Injectable()
class ObservablePoller extends Poller {
  step(): void {
    this.observed().subscribe();
  }
  @Span()
  observed() {
    return of(1).pipe(tap(() => this.next()));
  }
}

@Injectable()
class ManualPoller extends Poller {
  constructor(private readonly tracing: TracingService) {
    super();
  }
  step(): void {
    this.tracing.span('step', () => this.next());
  }
}
Reflect.defineMetadata('design:paramtypes', [TracingService], ManualPoller);

const pollers = [SpanPoller, SyncPoller, RootPoller, SilentPoller, ObservablePoller, ManualPoller];

jest.setTimeout(60_000 * scale);

describe('a method that schedules its own next call', () => {
  it.each(pollers.map((poller) => [poller.name, poller] as const))(
    'holds nothing of the calls before: %s',
    async (_name, poller) => {
      await withHttpApp('Express', { providers: pollers, tracing: {} }, async ({ app, traces }) => {
        const growing = app.get<Poller>(poller).growth();
        const forget = setInterval(() => traces.reset(), 5);
        const grown = await growing;
        clearInterval(forget);
        traces.reset();
        // What a call holds is larger: its span alone has about 1 kB.
        expect(grown).toBeLessThan((RUNS * 600) / MIB);
      });
    },
  );
});

/** Objects that were made while a request was served and outlive it, and so keep the context of that request alive. */
const livesOn: { kept: unknown[]; server: Server | undefined; agent: Agent } = {
  kept: [],
  server: undefined,
  agent: new HttpAgent({ keepAlive: true, maxSockets: 100 }),
};

const makers: Record<string, () => unknown> = {
  timer: () => livesOn.kept.push(setInterval(() => {}, 1e6).unref()),
  promise: () => {
    let settle = () => {};
    const forever = new Promise<void>((resolve) => (settle = resolve));
    livesOn.kept.push(
      settle,
      forever.then((value) => value),
    );
  },
  socket: async () => {
    const { port } = livesOn.server!.address() as AddressInfo;
    const [response] = (await once(get({ port, host: '127.0.0.1', agent: livesOn.agent }), 'response')) as [
      NodeJS.ReadableStream,
    ];
    response.resume();
  },
};

@Controller('notes')
class NotesController {
  @Post(['timer', 'promise', 'socket'])
  take(@Body() { text, what }: { text: string; what: string }): unknown {
    return Promise.resolve(makers[what]!()).then(() => String(text.length));
  }
  @Get()
  none(): string {
    return 'x';
  }
}

async function growthOf(http: HttpApp, what: string): Promise<number> {
  async function send(count: number): Promise<void> {
    // The requests run at once, so that each opens its own socket.
    await Promise.all(
      Array.from({ length: count }, (_, n) =>
        untraced(() =>
          http.request(`/notes/${what}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', connection: 'close' },
            body: JSON.stringify({ what, text: `${n}${'x'.repeat(BODY_SIZE)}` }),
          }),
        ),
      ),
    );
    http.traces.reset();
  }
  await send(3);
  return (await heapGrowth(() => send(REQUESTS))) / MIB;
}

function acceptLargeBodies(platform: Platform): HttpAppOptions {
  if (platform === 'Fastify') return { adapter: () => new FastifyAdapter({ bodyLimit: 5 * MIB }) };
  const prepare = (app: INestApplication) => (app as NestExpressApplication).useBodyParser('json', { limit: '5mb' });
  return { nest: { bodyParser: false }, prepare };
}

describe.each(httpPlatforms)('a request on %s', (platform) => {
  afterEach(async () => {
    for (const it of livesOn.kept.splice(0)) clearInterval(it as NodeJS.Timeout);
    livesOn.agent.destroy();
    livesOn.server?.close();
  });

  it.each(
    Object.keys(makers).flatMap((what) => [
      [what, 'is sampled', {}],
      [what, 'is not sampled', { sampler: { ratio: 0 } }],
    ]) as [string, string, Exclude<HttpAppOptions['tracing'], false>][],
  )('is not held by a %s that it has made and that lives on, where it %s', async (what, _kept, tracing) => {
    livesOn.server = createServer((_request, response) => response.end('x')).listen(0, '127.0.0.1');
    await once(livesOn.server, 'listening');
    const options: HttpAppOptions = { controllers: [NotesController], ...acceptLargeBodies(platform) };
    await withHttpApp(platform, { ...options, tracing }, async (http) => {
      expect(await growthOf(http, what)).toBeLessThan((REQUESTS * BODY_SIZE * 0.3) / MIB);
    });
  });
});
