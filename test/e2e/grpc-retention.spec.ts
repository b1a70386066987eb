import { Agent, createServer, get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { GrpcMethod, GrpcStreamCall, GrpcStreamMethod } from '@nestjs/microservices';
import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { Client, credentials, Metadata, type sendUnaryData, type ServerReadableStream } from '@grpc/grpc-js';
import { from, lastValueFrom, map, of, tap, toArray, type Observable } from 'rxjs';
import { collectGarbage } from '../support/garbage.js';
import { startGrpcApp, type Echo, type GrpcApp, type Message } from '../support/grpc-app.js';

const CALLS = 8;
/** A message of 100 kB. */
const large = () => ({ text: 'x'.repeat(100_000) });

let web: Server;
let agent: Agent;
const release: (() => void)[] = [];
beforeAll(async () => {
  web = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(web, 'listening');
});
afterEach(() => release.splice(0).forEach((it) => it()));
afterAll(() => {
  web.close();
});

/** Makers of objects that outlive the call in which they were made, and so keep the context of that call alive. */
const keepers: Record<string, () => unknown> = {
  'a timer': () => {
    const timer = setInterval(() => {}, 60_000).unref();
    release.push(() => clearInterval(timer));
  },
  'a pooled socket': () => {
    const { port } = web.address() as AddressInfo;
    get({ port, host: '127.0.0.1', agent }, (response) => response.resume());
  },
  'a promise': () => {
    let settle: () => void;
    const promise = new Promise<void>((resolve) => (settle = resolve));
    const waiting = (async () => promise)();
    release.push(() => {
      settle();
      void waiting;
    });
  },
  'a gRPC channel': () => {
    const { port } = web.address() as AddressInfo;
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    client.getChannel().getConnectivityState(true);
    release.push(() => client.close());
  },
};

let keep: () => unknown = () => {};
let kind = '';
let seen: Record<string, WeakRef<object>[]> = {};
const see = (what: string, it: unknown) => void (seen[`${kind}: ${what}`] ??= []).push(new WeakRef(it as object));

@Controller()
class EchoController {
  @GrpcMethod('Echo', 'Unary')
  unary(message: Message, metadata: Metadata, call: object): Observable<Message> {
    for (const [what, it] of Object.entries({ message, metadata, call })) see(what, it);
    keep();
    return of(large()).pipe(tap((answer) => see('answer', answer)));
  }
  @GrpcMethod('Echo', 'ServerStream')
  serverStream(message: Message, metadata: Metadata, call: object): Observable<Message> {
    return this.unary(message, metadata, call);
  }
  @GrpcStreamMethod('Echo', 'Bidi')
  bidi(messages: Observable<Message>, metadata: Metadata, call: object): Observable<Message> {
    see('metadata', metadata);
    see('call', call);
    return messages.pipe(
      tap((message) => {
        see('message', message);
        keep();
      }),
      map(large),
    );
  }
  @GrpcStreamCall('Echo', 'ClientStream')
  clientStream(call: ServerReadableStream<Message, Message>, callback: sendUnaryData<Message>): void {
    see('call', call);
    see('metadata', call.metadata);
    call.on('data', (message) => {
      see('message', message);
      keep();
    });
    call.on('end', () => callback(null, {}));
  }
}

const calls: Record<string, (echo: Echo, metadata: Metadata) => Observable<Message>> = {
  unary: (echo, metadata) => echo.unary(large(), metadata),
  serverStream: (echo, metadata) => echo.serverStream(large(), metadata),
  clientStream: (echo, metadata) => echo.clientStream(from([large()]), metadata),
  bidi: (echo, metadata) => echo.bidi(from([large()]), metadata),
};

/** The number of seen objects that are still in memory. */
async function alive(): Promise<Record<string, number>> {
  await collectGarbage();
  return Object.fromEntries(
    Object.entries(seen).map(([what, references]) => [what, references.filter((it) => it.deref()).length]),
  );
}

const isServed = (span: ReadableSpan) => span.kind === SpanKind.SERVER;

/** Makes calls of all kinds in an application. Returns how many of their objects are still in memory. */
async function retained(tracing: false | object, keeper: () => unknown, side: 'server' | 'client') {
  seen = {};
  agent = new Agent({ keepAlive: true, maxFreeSockets: CALLS * 4 });
  const grpc: GrpcApp = await startGrpcApp({ controllers: [EchoController], tracing });
  const call = async (keepOnServer: () => unknown, keepOnClient: () => unknown) => {
    keep = keepOnServer;
    const metadata = new Metadata();
    see('sent metadata', metadata);
    const received = tap((message: Message) => {
      see('received', message);
      keepOnClient();
    });
    await lastValueFrom(calls[kind]!(grpc.echo, metadata).pipe(received, toArray()));
  };
  try {
    for (kind of Object.keys(calls)) {
      const onServer = side === 'server' ? keeper : () => {};
      const onClient = side === 'client' ? keeper : () => {};
      await Promise.all(Array.from({ length: CALLS }, () => call(onServer, onClient)));
    }
    // A connection keeps a reference to its last call.
    kind = 'unary';
    await call(
      () => {},
      () => {},
    );
    // Without these spans, the test would compare two applications without tracing.
    if (tracing) await grpc.traces.until((spans) => spans.filter(isServed).length === CALLS * 4 + 1, 'every call');
    return await alive();
  } finally {
    agent.destroy();
    await grpc.close();
  }
}

describe.each(['server', 'client'] as const)('what a call on the %s has made', (side) => {
  it.each(Object.entries(keepers))(
    '%s, keeps no more of the call in memory than without tracing',
    async (_name, keeper) => {
      const untraced = await retained(false, keeper, side);
      const traced = await retained({ http: { client: false } }, keeper, side);
      expect(Object.keys(traced)).toEqual(Object.keys(untraced));
      const grown = Object.entries(traced).filter(([what, count]) => count > untraced[what]! + 1);
      expect(grown).toEqual([]);
    },
    60_000,
  );
});
