import { afterEach, describe, expect, it } from '@jest/globals';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { context, trace } from '@opentelemetry/api';
import type { TracingOptions } from 'nestjs-tracing';
import { message, socketPlatforms, startSocketApp, type SocketApp } from '../support/socket-app.js';

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';
const SPAN_ID = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE_ID}-${SPAN_ID}-01`;

@WebSocketGateway()
class EchoGateway {
  @SubscribeMessage('echo')
  echo(@MessageBody() data: unknown): object {
    return { event: 'echoed', data: Array.isArray(data) ? data.length : typeof data };
  }
}

describe.each(socketPlatforms)('the trace of a message over %s on %s', (library, platform) => {
  let app: SocketApp | undefined;
  afterEach(() => app?.close());

  async function start(websockets: TracingOptions['websockets'] = {}): Promise<SocketApp> {
    app = await startSocketApp(library, platform, { providers: [EchoGateway], tracing: { websockets } });
    return app;
  }

  it('does not continue what was active when the server started, or when the client connected', async () => {
    app = await startSocketApp(library, platform, {
      providers: [EchoGateway],
      // What is active here is active in each callback of the sockets that the server creates.
      prepare: async (created) => {
        const listen = created.listen.bind(created);
        created.listen = (...args: unknown[]) => {
          const span = trace.getTracer('test').startSpan('start');
          return context.with(trace.setSpan(context.active(), span), () =>
            Reflect.apply(listen, created, args),
          ) as never;
        };
      },
    });
    const client = await app.connect();
    for (const data of [1, 2]) {
      client.send('echo', data);
      await client.next();
    }
    const echo = message('echo', 'EchoGateway.echo');
    await app.traces.until((spans) => spans.length === 4);
    const roots = app.traces.spans.filter(({ name }) => name === 'echo');
    expect(roots.map(({ parentSpanContext }) => parentSpanContext)).toEqual([undefined, undefined]);
    expect(new Set(roots.map((span) => span.spanContext().traceId)).size).toBe(2);
    expect(echo.name).toBe('echo');
  });

  it('continues that of the client, if the message carries it', async () => {
    const { connect, traces } = await start();
    const client = await connect();
    client.send('echo', { text: 'hi', _meta: { traceparent: TRACEPARENT, baggage: 'tenant=1' } });
    expect(await client.next()).toEqual(['echoed', 'object']);
    await traces.expect(message('echo', 'EchoGateway.echo', { caller: SPAN_ID }));
  });

  it('links to that of a client that is not trusted', async () => {
    const seen: unknown[] = [];
    const { connect, traces } = await start({
      trustIncoming: ({ event, data, client }) => {
        seen.push(event, typeof data, typeof client);
        return false;
      },
    });
    const client = await connect();
    client.send('echo', { _meta: { traceparent: TRACEPARENT } });
    await client.next();
    await traces.until((spans) => spans.length === 2);
    const span = traces.named('echo');
    expect(span.parentSpanContext).toBeUndefined();
    expect(span.links.map((link) => link.context)).toEqual([
      expect.objectContaining({ traceId: TRACE_ID, spanId: SPAN_ID }),
    ]);
    expect(seen).toEqual(['echo', 'object', 'object']);
  });

  it('is read where the application says', async () => {
    const { connect, traces } = await start({
      carrier: ({ data }) => ({ traceparent: (data as { trace: string }).trace }),
    });
    const client = await connect();
    client.send('echo', { trace: TRACEPARENT });
    await client.next();
    await traces.expect(message('echo', 'EchoGateway.echo', { caller: SPAN_ID }));
    // The function throws for this one.
    client.send('echo', null);
    await client.next();
    await traces.expect(message('echo', 'EchoGateway.echo'));
  });

  it.each([
    ['a list', { _meta: [TRACEPARENT] }],
    ['a text', { _meta: TRACEPARENT }],
    ['a number', { _meta: { traceparent: 7 } }],
    ['a list of texts', { _meta: { traceparent: [TRACEPARENT] } }],
    ['a malformed text', { _meta: { traceparent: `${TRACEPARENT.slice(0, -3)}-zz` } }],
    [
      'a megabyte',
      { _meta: { traceparent: TRACEPARENT, tracestate: 'a'.repeat(400_000), baggage: 'b=c,'.repeat(100_000) } },
    ],
    [
      'an object with its own names',
      { _meta: { __proto__: { traceparent: TRACEPARENT }, constructor: 1, hasOwnProperty: 1 } },
    ],
    ['no object', 'text'],
    ['null', null],
    ['a deep list', [[[[[{ _meta: { traceparent: TRACEPARENT } }]]]]]],
  ])('survives %s in place of a trace context', async (_name, data) => {
    const { connect, traces } = await start();
    const client = await connect();
    client.send('echo', data);
    await client.next();
    await traces.until((spans) => spans.length === 2);
    expect(traces.named('echo').name).toBe('echo');
    client.send('echo', { _meta: { traceparent: TRACEPARENT } });
    await client.next();
    await traces.until((spans) => spans.length === 4);
    expect(traces.spans.at(-1)?.parentSpanContext?.spanId).toBe(SPAN_ID);
  });
});

describe('the arguments of an event of Socket.IO', () => {
  let app: SocketApp;
  afterEach(() => app.close());

  it('may carry the trace context beside the data', async () => {
    app = await startSocketApp('Socket.IO', 'Express', { providers: [EchoGateway] });
    const { next, socket } = await app.connect();
    socket.emit('echo', 'text', { _meta: { traceparent: TRACEPARENT } });
    expect(await next()).toEqual(['echoed', 2]);
    await app.traces.expect(message('echo', 'EchoGateway.echo', { caller: SPAN_ID }));
  });
});
