import { describe, expect, it } from '@jest/globals';
import { context, propagation, SpanKind, trace, type SpanContext, type TextMapPropagator } from '@opentelemetry/api';
import { SamplingDecision, type Sampler } from '@opentelemetry/sdk-trace';
import { request as httpRequest } from 'node:http';
import { hasSubscribers } from 'node:diagnostics_channel';
import { TracingService, type HttpClientOptions } from 'nestjs-tracing';
import { suppressTracing } from '../../lib/core/suppression.js';
import {
  client,
  clientSpans,
  expectBare,
  expectCarried,
  nodePropagates,
  runIn,
  runOf,
  withClientApp,
  WorkController,
} from '../support/client-app.js';
import { startHttpApp } from '../support/http-app.js';
import { HttpTarget } from '../support/http-target.js';

type Headers = Record<string, string>;

/** Sends a request and reads its answer, by either of Node's clients. */
const clients: [string, boolean, (url: string, headers?: Headers) => Promise<unknown>][] = [
  ['fetch', true, async (url, headers = {}) => (await fetch(url, { headers })).text()],
  [
    'node:http',
    nodePropagates,
    (url, headers = {}) =>
      new Promise((resolve, reject) => {
        const request = httpRequest(url, { headers }, (response) => response.resume().once('end', resolve));
        request.once('error', reject).end();
      }),
  ],
];

describe.each(clients)('by %s', (_name, propagates, send) => {
  it('what is ignored has no span and carries nothing', async () => {
    const ignore = ({ url, method }: { url: URL; method: string }) => method === 'GET' && url.pathname === '/ok/no';
    await withClientApp({ client: { ignore } }, async ({ run, target, traces }) => {
      await run(async () => {
        await send(`${target.url}/ok/no`);
        await send(`${target.url}/ok/yes`);
      });
      expectBare(target.only('/ok/no'));
      const attributes = { 'url.full': `${target.url}/ok/yes` };
      await traces.expect(runOf(client('GET', 200, { attributes })));
    });
  });

  it('what is not propagated to has a span, and carries neither context nor baggage', async () => {
    const foe = await HttpTarget.start();
    await withClientApp({ client: { propagateTo: [/^127\.0\.0\.1:9$/] } }, async ({ run, target, traces }) => {
      const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
      await run(() => context.with(propagation.setBaggage(context.active(), baggage), () => send(`${target.url}/ok`)));
      expectBare(target.only('/ok'));
      await traces.expect(runOf(client('GET', 200)));
    });
    await foe.stop();
  });

  it('hosts are told apart by their ports', async () => {
    const foe = await HttpTarget.start();
    const friend = await HttpTarget.start();
    const options: HttpClientOptions = { propagateTo: `127.0.0.1:${friend.port}` };
    await withClientApp({ client: options }, async ({ run, traces }) => {
      const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
      await run(() =>
        context.with(propagation.setBaggage(context.active(), baggage), async () => {
          await send(`${foe.url}/ok`);
          await send(`${friend.url}/ok`);
        }),
      );
      await traces.until((spans) => spans.length === 4);
      expectBare(foe.only('/ok'));
      if (propagates) {
        expectCarried(friend.only('/ok'), clientSpans(traces.spans)[1]);
        expect(friend.only('/ok').headers.baggage).toBe('tenant=acme');
      }
      await traces.expect(runOf(client('GET', 200), client('GET', 200)));
    });
    await foe.stop();
    await friend.stop();
  });

  it('hosts are those that requests go to, not those of their Host header', async () => {
    await withClientApp({ client: { propagateTo: 'friend.test', ignore: 'nobody.test' } }, async (app) => {
      const { run, target, traces } = app;
      await run(async () => {
        // The fetch of Node takes no Host header.
        for (const host of ['friend.test', 'nobody.test']) await send(`${target.url}/ok/${host}`, { host });
      });
      for (const received of target.received) expectBare(received);
      await traces.expect(runOf(client('GET', 200), client('GET', 200)));
    });
  });

  it('functions that throw leave the request traced and bare', async () => {
    const broken = () => {
      throw new Error('not my day');
    };
    await withClientApp({ client: { ignore: broken, propagateTo: broken } }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`));
      expectBare(target.only('/ok'));
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('a function that answers later propagates nothing', async () => {
    const later = (() => Promise.resolve(true)) as unknown as () => boolean;
    await withClientApp({ client: { propagateTo: later } }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`));
      expectBare(target.only('/ok'));
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('a request that carries the span around it keeps its headers, and has a span', async () => {
    await withClientApp({}, async ({ app, run, target, traces }) => {
      await run(() => send(`${target.url}/ok`, app.get(TracingService).inject({})));
      await traces.until((spans) => spans.length === 3);
      expectCarried(target.only('/ok'), traces.named('WorkController.work'));
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('a request that carries another span is left alone', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`, { traceparent }));
      expect(target.only('/ok').headers.traceparent).toBe(traceparent);
      expect(target.only('/ok').rawHeaders.filter((name) => name === 'traceparent')).toHaveLength(1);
      await traces.expect(runOf());
    });
  });

  it('a request that carries the active client span of another instrumentation is left alone', async () => {
    await withClientApp({}, async ({ app, run, target, traces }) => {
      const tracing = app.get(TracingService);
      await run(() =>
        tracing.span('theirs', () => send(`${target.url}/ok`, tracing.inject({})), { kind: SpanKind.CLIENT }),
      );
      await traces.until((spans) => spans.length === 3);
      expectCarried(target.only('/ok'), traces.named('theirs'));
      await traces.expect(runOf({ name: 'theirs', kind: 'CLIENT' }));
    });
  });

  it('baggage of its own stays, beside our context', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      const baggage = propagation.createBaggage({ tenant: { value: 'ours' } });
      await run(() =>
        context.with(propagation.setBaggage(context.active(), baggage), () =>
          send(`${target.url}/ok`, { Baggage: 'tenant=theirs' }),
        ),
      );
      await traces.until((spans) => spans.length === 3);
      expect(target.only('/ok').headers.baggage).toBe('tenant=theirs');
      if (propagates) expectCarried(target.only('/ok'), clientSpans(traces.spans)[0]);
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('nothing is traced in a suppressed context', async () => {
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => context.with(suppressTracing(context.active()), () => send(`${target.url}/ok`)));
      expectBare(target.only('/ok'));
      await traces.expect(runOf());
    });
  });

  it('an ignored request of the application carries nothing on', async () => {
    let ignores = true;
    const tracing = { http: { ignore: () => ignores } };
    await withClientApp({ tracing }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok/ignored`));
      expectBare(target.only('/ok/ignored'));
      await traces.expect();
      ignores = false;
      await run(() => send(`${target.url}/ok/traced`));
      await traces.until((spans) => spans.length === 3);
      if (propagates) expectCarried(target.only('/ok/traced'), clientSpans(traces.spans)[0]);
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('a trace that is not sampled is carried on as such', async () => {
    await withClientApp({ tracing: { sampler: 'always_off' } }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`));
      if (propagates) expect(target.only('/ok').headers.traceparent).toMatch(/-0[02]$/);
      await traces.expect();
    });
  });

  it('the headers are those of the propagators', async () => {
    const own: TextMapPropagator = {
      inject: (context, carrier, setter) => {
        setter.set(carrier, 'X-Own', trace.getSpanContext(context)!.spanId);
      },
      extract: (context, carrier, getter) => {
        const spanId = getter.get(carrier, 'X-Own');
        if (typeof spanId !== 'string') return context;
        const traceId = trace.getSpanContext(context)?.traceId ?? '0af7651916cd43dd8448eb211c80319c';
        return trace.setSpanContext(context, { spanId, traceId, traceFlags: 1 } satisfies SpanContext);
      },
      fields: () => ['X-Own'],
    };
    await withClientApp({ tracing: { propagators: ['b3', own] } }, async ({ run, target, traces }) => {
      await run(async () => {
        await send(`${target.url}/ok/1`);
        await send(`${target.url}/ok/2`, { 'x-own': 'b7ad6b7169203331' });
      });
      await traces.until((spans) => spans.length === 3);
      const { spanId, traceId } = clientSpans(traces.spans)[0]!.spanContext();
      if (propagates) {
        expect(target.only('/ok/1').headers).toMatchObject({ b3: `${traceId}-${spanId}-1`, 'x-own': spanId });
      }
      expectBare(target.only('/ok/1'));
      expect(target.only('/ok/2').headers.b3).toBeUndefined();
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('a propagator that throws takes nothing with it', async () => {
    const broken: TextMapPropagator = {
      inject() {
        throw new Error('inject');
      },
      extract: (context) => context,
      fields: () => ['x-broken'],
    };
    await withClientApp({ tracing: { propagators: [broken] } }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`));
      expectBare(target.only('/ok'));
      await traces.expect(runOf(client('GET', 200)));
    });
  });

  it('a sampler of the application sees the attributes at the start', async () => {
    const seen: Record<string, unknown>[] = [];
    const sampler: Sampler = {
      shouldSample(_context, _traceId, _name, kind, attributes) {
        if (kind === SpanKind.CLIENT) seen.push(attributes);
        return { decision: SamplingDecision.RECORD_AND_SAMPLED };
      },
      toString: () => 'own',
    };
    await withClientApp({ tracing: { sampler } }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok?page=1&password=x`));
      await traces.expect(runOf(client('GET', 200)));
      const url = `${target.url}/ok?page=1&password=REDACTED`;
      expect(seen).toEqual([
        {
          'http.request.method': 'GET',
          'url.full': url,
          'server.address': '127.0.0.1',
          'server.port': target.port,
        },
      ]);
    });
  });

  it('an application without the module carries nothing', async () => {
    await withClientApp({ tracing: false }, async ({ run, target }) => {
      await run(() => send(`${target.url}/ok`));
      expectBare(target.only('/ok'));
    });
  });

  it('http.client: false carries nothing and has no span', async () => {
    await withClientApp({ client: false }, async ({ run, target, traces }) => {
      await run(() => send(`${target.url}/ok`));
      expectBare(target.only('/ok'));
      await traces.expect(runOf());
    });
  });

  it('two applications in one process give a request one span', async () => {
    const target = await HttpTarget.start();
    const options = { tracing: { http: { client: {} } }, controllers: [WorkController] };
    const first = await startHttpApp('Express', options);
    const second = await startHttpApp('Fastify', options);
    await runIn(second, () => send(`${target.url}/ok/1`));
    await first.traces.until((spans) => spans.length === 3);
    if (propagates) expectCarried(target.only('/ok/1'), clientSpans(first.traces.spans)[0]);
    await first.traces.expect(runOf(client('GET', 200)));

    await second.close();
    await runIn(first, () => send(`${target.url}/ok/2`));
    await first.traces.expect(runOf(client('GET', 200)));

    await first.close();
    await send(`${target.url}/ok/3`);
    expectBare(target.only('/ok/3'));
    await target.stop();
  });
});

describe('an application that closes', () => {
  it('listens to no channel any more, and lets requests that are under way end', async () => {
    const target = await HttpTarget.start();
    const http = await startHttpApp('Express', {
      tracing: { http: { client: {} } },
      controllers: [WorkController],
    });
    expect(subscribed()).not.toEqual([]);
    const underWay = clients.map(([name, , send]) => send(`${target.url}/hang/${name.replace(':', '-')}`));
    await Promise.all([target.reached('/hang/fetch'), target.reached('/hang/node-http')]);
    await http.close();
    expect(subscribed()).toEqual([]);
    target.release('/hang/fetch');
    target.release('/hang/node-http');
    await Promise.all(underWay);
    await target.stop();
  });

  it('leaves those that did not start behind', async () => {
    const failing = {
      provide: 'FAILING',
      useFactory: () => {
        throw new Error('does not start');
      },
    };
    const options = { tracing: { http: { client: { ignore: () => true } } }, providers: [failing] };
    await expect(startHttpApp('Express', options)).rejects.toThrow('does not start');
    await withClientApp({}, async ({ run, target, traces }) => {
      await run(() => fetch(`${target.url}/ok`));
      await traces.expect(runOf(client('GET', 200)));
    });
    expect(subscribed()).toEqual([]);
  });
});

function subscribed(): string[] {
  return [
    'undici:request:create',
    'undici:client:sendHeaders',
    'undici:request:headers',
    'undici:request:trailers',
    'undici:request:error',
    'http.client.request.created',
    'http.client.request.start',
    'http.client.response.finish',
    'http.client.request.error',
  ].filter((channel) => hasSubscribers(channel));
}
