import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { context, propagation, trace, type ProxyTracerProvider, type TextMapPropagator } from '@opentelemetry/api';
import { channel, hasSubscribers } from 'node:diagnostics_channel';
import { ClientRequest, type OutgoingHttpHeaders } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import type { IntegrationContext, IntegrationHooks } from '../../../../lib/core/integration.js';
import type { OperationMeter } from '../../../../lib/core/operation-meter.js';
import { suppressTracing } from '../../../../lib/core/suppression.js';
import { VERSION } from '../../../../lib/core/version.js';
import { httpClientIntegration } from '../../../../lib/http/client/integration.js';
import {
  ClientRequest as ClientRequestOfOurs,
  type ClientRequestOptions,
} from '../../../../lib/http/client/client-request.js';
import { UndiciResponse, UndiciMessage } from '../../../../lib/http/client/undici-message.js';
import { DEFAULT_KNOWN_METHODS } from '../../../../lib/options/known-methods.js';
import { recordSpans } from '../../../support/recorded-spans.js';
import { countHeld } from '../../../support/garbage.js';

const OPTIONS: ClientRequestOptions = {
  ignore: undefined,
  propagateTo: undefined,
  requestHeaders: [],
  responseHeaders: [],
  knownMethods: DEFAULT_KNOWN_METHODS,
  redactQuery: () => false,
  areAttributesReadAtStart: false,
  meter: undefined,
};

/** Instruments outgoing requests for an application, as the module does. */
function instrument(options: ClientRequestOptions, integration = httpClientIntegration): IntegrationHooks {
  const { meter, areAttributesReadAtStart, ...httpClient } = options;
  const context = { meter: () => meter, modules: new Map(), areAttributesReadAtStart } as unknown as IntegrationContext;
  return integration.start({ httpClient }, context)!;
}

/** A propagator that always writes its header. Those of OpenTelemetry check for suppression themselves. */
const heedless: TextMapPropagator = {
  inject: (_context, carrier, setter) => setter.set(carrier, 'x-trace', 'yes'),
  extract: (context) => context,
  fields: () => ['x-trace'],
};

const spanIdOnly: TextMapPropagator = {
  inject: (context, carrier, setter) => setter.set(carrier, 'x-span', trace.getSpanContext(context)!.spanId),
  extract(context, carrier, getter) {
    const spanId = String(getter.get(carrier, 'x-span'));
    return trace.setSpanContext(context, { traceId: '0af7651916cd43dd8448eb211c80319c', spanId, traceFlags: 1 });
  },
  fields: () => ['x-span'],
};

describe('headers', () => {
  const spans = recordSpans();
  let tracing: IntegrationHooks;

  beforeEach(() => {
    propagation.setGlobalPropagator(heedless);
    tracing = instrument(OPTIONS);
  });

  afterEach(() => {
    void tracing.shutdown?.();
    propagation.disable();
  });

  it('are added if tracing is active, and not in a suppressed context', () => {
    const added: string[] = [];
    const request = (path: string) => ({
      method: 'GET',
      origin: 'http://a.test',
      path,
      headers: [],
      addHeader: (name: string, value: string) => added.push(`${path} ${name}: ${value}`),
    });
    channel('undici:request:create').publish({ request: request('/traced') });
    context.with(suppressTracing(context.active()), () => {
      channel('undici:request:create').publish({ request: request('/suppressed') });
    });
    expect(added).toEqual(['/traced x-trace: yes']);
  });

  it('that are already sent cause no warning', () => {
    const headers = ['Host', 'a.test'] as unknown as OutgoingHttpHeaders;
    const request = new ClientRequest({ headers }).on('error', () => {});
    channel('http.client.request.start').publish({ request });
    request.destroy();
    expect(request.headersSent).toBe(true);
    expect(spans.diagnostics).toEqual([]);
  });
});

describe('unusual requests', () => {
  const spans = recordSpans();
  let tracing: IntegrationHooks;

  beforeEach(() => {
    tracing = instrument(OPTIONS);
  });

  afterEach(() => void tracing.shutdown?.());

  it.each([
    ['nothing', undefined],
    ['no request', {}],
    ['a request of the wrong kind', { request: 'GET /' }],
    ['a request without anything', { request: {} }],
    ['a proxy whose traps throw', { request: locked() }],
    ['a frozen request', { request: Object.freeze({ method: 'GET', once() {} }) }],
  ])('break nothing: %s', async (_name, message) => {
    for (const name of [
      'undici:request:create',
      'undici:client:sendHeaders',
      'undici:request:headers',
      'undici:request:trailers',
      'undici:request:error',
      'http.client.request.created',
      'http.client.request.start',
      'http.client.response.finish',
      'http.client.request.error',
    ]) {
      channel(name).publish(message);
    }
    // Node throws on what a subscriber has thrown, in the next tick.
    await turn();
    const request = { method: 'GET', origin: 'http://a.test', path: '/', headers: [], addHeader() {} };
    channel('undici:request:create').publish({ request });
    channel('undici:request:trailers').publish({ request });
    expect(spans.names()).toContain('GET');
  });

  it('cause a warning if functions of the application throw', () => {
    void tracing.shutdown?.();
    const broken = () => {
      throw new Error('not my day');
    };
    tracing = instrument({ ...OPTIONS, ignore: broken, propagateTo: broken });
    const added: string[] = [];
    const request = {
      method: 'GET',
      origin: 'http://a.test',
      path: '/',
      headers: [],
      addHeader: (name: string) => added.push(name),
    };
    channel('undici:request:create').publish({ request });
    channel('undici:request:trailers').publish({ request });
    expect(spans.names()).toEqual(['GET']);
    expect(added).toEqual([]);
    expect(spans.diagnostics.join('\n')).toMatch(/http\.client\.ignore threw and was ignored: Error: not my day/);
  });

  it('end once, whatever events follow', () => {
    const request = { method: 'GET', origin: 'http://a.test', path: '/', headers: [], addHeader() {} };
    channel('undici:request:create').publish({ request });
    channel('undici:request:trailers').publish({ request });
    channel('undici:request:error').publish({ request, error: new Error('late') });
    channel('undici:request:trailers').publish({ request });
    expect(spans.all()).toHaveLength(1);
    expect(spans.one('GET').events).toEqual([]);
  });

  it('end and are counted, whichever of their properties throws', () => {
    const counted: string[] = [];
    const meter = meterInto(counted);
    void tracing.shutdown?.();
    tracing = instrument({ ...OPTIONS, meter });
    const broken = () => {
      throw new Error('not my day');
    };
    const request = { method: 'GET', origin: 'http://a.test', path: '/', headers: [], addHeader() {} };
    channel('undici:request:create').publish({ request });
    const statusCode = 503;
    channel('undici:request:headers').publish({ request, response: { statusCode, headers: [] } });
    for (const name of ['method', 'path', 'headers']) Object.defineProperty(request, name, { get: broken });
    channel('undici:request:error').publish({ request, error: new Error('gone') });
    expect(spans.one('GET').attributes['error.type']).toBe('503');
    expect(counted).toEqual(['start', 'end']);
  });

  it.each([
    [false, ['start', 'end']],
    [true, []],
  ])('are counted where another instrumentation traces them, unless by its own metrics: %s', (shared, expected) => {
    const counted: string[] = [];
    propagation.setGlobalPropagator(spanIdOnly);
    void tracing.shutdown?.();
    tracing = instrument({ ...OPTIONS, meter: meterInto(counted, shared) });
    const headers = ['x-span', 'b7ad6b7169203331'];
    const request = { method: 'GET', origin: 'http://a.test', path: '/', headers, addHeader() {} };
    channel('undici:request:create').publish({ request });
    channel('undici:request:trailers').publish({ request });
    propagation.disable();
    expect(counted).toEqual(expected);
    expect(spans.all()).toEqual([]);
    expect(headers).toEqual(['x-span', 'b7ad6b7169203331']);
  });

  it('end even if methods of their span throw', () => {
    const counted: string[] = [];
    void tracing.shutdown?.();
    tracing = instrument({ ...OPTIONS, meter: meterInto(counted) });
    const broken = () => {
      throw new Error('not my day');
    };
    const methods = ['setAttribute', 'setAttributes', 'setStatus', 'addEvent', 'recordException', 'isRecording'];
    const spanOf = (path: string, which: readonly string[]) => {
      const provider = (trace.getTracerProvider() as ProxyTracerProvider).getDelegate();
      const startSpan = jest.spyOn(provider.getTracer('nestjs-tracing', VERSION), 'startSpan');
      const request = { method: 'GET', origin: 'http://a.test', path, headers: [], addHeader() {} };
      channel('undici:request:create').publish({ request });
      const { value: span } = startSpan.mock.results[0] as { value: object };
      startSpan.mockRestore();
      for (const method of which) Object.defineProperty(span, method, { value: broken });
      const response = { statusCode: 503, headers: [] };
      channel('undici:request:headers').publish({ request, response });
      channel('undici:request:error').publish({ request, error: new Error('gone') });
    };
    for (const method of methods) spanOf('/one', [method]);
    spanOf('/all', methods);
    expect(spans.names()).toHaveLength(methods.length + 1);
    expect(counted).toEqual(spans.names().flatMap(() => ['start', 'end']));
  });

  it('keep neither request nor response in memory after their end', async () => {
    const kept: unknown[] = [];
    const send = () => {
      const request = { method: 'GET', origin: 'http://a.test', path: '/', headers: [], addHeader() {} };
      const response = { statusCode: 200, headers: [] };
      const begun = ClientRequestOfOurs.start(new UndiciMessage(request), OPTIONS)!;
      begun.receiveHead(new UndiciResponse(response));
      begun.complete();
      kept.push(begun);
      return [new WeakRef(request), new WeakRef(response)];
    };
    const refs = send();
    expect(refs).toHaveLength(2);
    expect(await countHeld(refs)).toBe(0);
    expect(kept).toHaveLength(1);
  });

  it('work with a response of an old undici, whose headers are a text', () => {
    const head = { text: 'accept: */*\r\n' };
    const request = {
      method: 'GET',
      origin: new URL('http://a.test'),
      path: '/',
      get headers() {
        return head.text;
      },
      addHeader(name: string, value: string) {
        head.text += `${name}: ${value}\r\n`;
      },
    };
    channel('undici:request:create').publish({ request });
    channel('undici:request:headers').publish({ request, response: { statusCode: 204, headers: [] } });
    channel('undici:request:trailers').publish({ request });
    expect(spans.one('GET').attributes['http.response.status_code']).toBe(204);
  });
});

/** A meter that only records its calls. */
function meterInto(counted: string[], shared = false): OperationMeter {
  const start = () => {
    counted.push('start');
    return { end: () => void counted.push('end') };
  };
  return { isShared: shared, start } as unknown as OperationMeter;
}

function locked(): object {
  const trap = () => {
    throw new Error('locked');
  };
  return new Proxy({}, { get: trap, has: trap, ownKeys: trap, getOwnPropertyDescriptor: trap, set: trap });
}

describe('applications', () => {
  const spans = recordSpans();
  const send = (headers: string[] = []) => {
    const addHeader = () => {};
    const request = { method: 'GET', origin: 'http://a.test', path: '/', headers, addHeader };
    channel('undici:request:create').publish({ request });
    channel('undici:request:trailers').publish({ request });
    return spans.all().at(-1)?.attributes;
  };
  const recording = (name: string): ClientRequestOptions => ({
    ...OPTIONS,
    requestHeaders: [{ name, isSecret: false }],
  });
  const start = (name: string) => {
    const tracing = instrument(recording(name));
    void tracing.acquire?.();
    return tracing;
  };
  const HEADERS = ['x-first', '1', 'x-second', '2', 'x-third', '3'];
  const recorded = () => Object.keys(send(HEADERS) ?? {}).filter((key) => key.startsWith('http.request.header.'));

  it('trace each request once, with the options of the newest application', () => {
    const first = start('x-first');
    const second = start('x-second');
    expect(recorded()).toEqual(['http.request.header.x-second']);
    void second.shutdown?.();
    expect(recorded()).toEqual(['http.request.header.x-first']);
    void first.shutdown?.();
    void first.shutdown?.();
    send(HEADERS);
    expect(spans.all()).toHaveLength(2);
    expect(hasSubscribers('undici:request:create')).toBe(false);
  });

  it('whose start has failed are replaced by the next one', () => {
    instrument({ ...OPTIONS, ignore: () => true });
    const next = start('x-first');
    expect(recorded()).toEqual(['http.request.header.x-first']);
    void next.shutdown?.();
    expect(hasSubscribers('undici:request:create')).toBe(false);
  });

  it('that start at the same time are all kept', () => {
    const first = instrument(recording('x-first'));
    const second = instrument(recording('x-second'));
    void second.acquire?.();
    void first.acquire?.();
    expect(recorded()).toEqual(['http.request.header.x-first']);
    void first.shutdown?.();
    expect(recorded()).toEqual(['http.request.header.x-second']);
    void second.shutdown?.();
    expect(hasSubscribers('undici:request:create')).toBe(false);
  });

  it('of another copy of this library leave a request to the newest', async () => {
    const first = start('x-first');
    let other: { httpClientIntegration: typeof httpClientIntegration } | undefined;
    await jest.isolateModulesAsync(async () => {
      other = await import('../../../../lib/http/client/integration.js');
    });
    expect(other!.httpClientIntegration).not.toBe(httpClientIntegration);
    const second = instrument(recording('x-second'), other!.httpClientIntegration);
    void second.acquire?.();
    send(HEADERS);
    expect(spans.all().map((span) => Object.keys(span.attributes).filter((key) => key.includes('x-')))).toEqual([
      ['http.request.header.x-second'],
    ]);
    void second.shutdown?.();
    expect(recorded()).toEqual(['http.request.header.x-first']);
    void first.shutdown?.();
    expect(hasSubscribers('undici:request:create')).toBe(false);
  });
});
