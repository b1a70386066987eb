import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ClientProxy } from '@nestjs/microservices';
import { context, propagation, SpanKind, trace } from '@opentelemetry/api';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { catchError, firstValueFrom, lastValueFrom, map, of, takeUntil, toArray, type Observable } from 'rxjs';
import {
  received,
  ScopedController,
  startMessagingApp,
  StockAuditor,
  StockController,
  StockCounter,
  SumController,
  TextSumController,
  untilReceived,
  type MessagingApp,
  type TransportOptions,
} from './messaging-app.js';
import { failed, handler, type ExpectedSpan } from './trace-tree.js';

export interface TransportCase {
  /** The value of `messaging.system`. */
  readonly system: string;
  readonly options: () => TransportOptions;
  /** The destination of a message in the terms of the transport. @default the pattern */
  readonly destination?: (pattern: string, side: 'client' | 'server') => string;
  /** False if only a text can be a pattern. @default true */
  readonly hasObjectPatterns?: boolean;
  /** What the caller of a handler without a result gets. @default [] */
  readonly emptyAnswer?: readonly unknown[];
  /** True if an event is delivered again if its handler fails. @default false */
  readonly redelivers?: boolean;
  /** True if the transport closes only when all handlers have returned. @default false */
  readonly waitsForHandlers?: boolean;
  /** True if messages arrive whose pattern no handler has. @default false */
  readonly receivesUnmatched?: boolean;
  /** Called before the client connects. */
  readonly prepareClient?: (client: ClientProxy) => void;
}

const answers = (call: Observable<unknown>) =>
  lastValueFrom(
    call.pipe(
      toArray(),
      catchError((error: unknown) => of(error)),
    ),
  );

/** What holds for every transport: the tests of one of them. */
export function describeTransport(
  name: string,
  {
    system,
    options,
    destination = (it) => it,
    hasObjectPatterns = true,
    emptyAnswer = [],
    redelivers = false,
    waitsForHandlers = false,
    receivesUnmatched = false,
    prepareClient,
  }: TransportCase,
): void {
  const sum = hasObjectPatterns
    ? { pattern: { cmd: 'sum' }, text: '{"cmd":"sum"}', handler: handler('SumController.sum') }
    : { pattern: 'stock.sum', text: 'stock.sum', handler: handler('TextSumController.sum') };

  describe(`messages over ${name}`, () => {
    let messaging: MessagingApp;
    beforeAll(async () => {
      const sumController = hasObjectPatterns ? SumController : TextSumController;
      const controllers = [StockController, ScopedController, sumController, StockCounter, StockAuditor];
      const tracing = {
        messaging: { trustIncoming: ({ pattern }: { pattern: string }) => pattern !== 'stock.doubts' },
      };
      messaging = await startMessagingApp(options(), { controllers, prepareClient, tracing });
    });

    /** Asks for a sum. Kafka answers with text. */
    const add = (...numbers: number[]) => messaging.client.send<unknown>(sum.pattern, numbers).pipe(map(Number));
    const attributes = (pattern: string, side: 'client' | 'server') => ({
      'messaging.system': system,
      'messaging.destination.name': destination(pattern, side),
      'rpc.method': pattern,
      'rpc.system.name': 'nestjs',
    });
    const request = (pattern: string, ...children: ExpectedSpan[]): ExpectedSpan => ({
      name: pattern,
      kind: 'CLIENT',
      attributes: { ...attributes(pattern, 'client'), 'messaging.operation.name': 'request', 'error.type': undefined },
      children: [
        {
          name: pattern,
          kind: 'SERVER',
          attributes: {
            ...attributes(pattern, 'server'),
            'messaging.operation.name': 'process',
            'error.type': undefined,
          },
          children,
        },
      ],
    });

    it('traces a request from the client through the handler', async () => {
      await expect(answers(messaging.client.send('stock.reserve', { item: 'tea' }))).resolves.toEqual(['reserved tea']);
      await messaging.traces.expect(
        request('stock.reserve', {
          ...handler('StockController.reserve'),
          children: [{ name: 'StockService.reserve' }],
        }),
      );
    });

    it(`traces a request whose pattern is ${hasObjectPatterns ? 'an object' : 'a text'}`, async () => {
      await expect(answers(add(1, 2, 3))).resolves.toEqual([6]);
      await messaging.traces.expect(request(sum.text, sum.handler));
    });

    it('traces a stream of answers until it completes', async () => {
      await expect(answers(messaging.client.send('stock.each', ['a', 'b', 'c']))).resolves.toEqual(['a', 'b', 'c']);
      await messaging.traces.expect(request('stock.each', handler('StockController.each')));
    });

    it('adopts the baggage of a sender that is trusted, and of another only a link', async () => {
      const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
      const ask = (pattern: string) =>
        context.with(propagation.setBaggage(context.active(), baggage), () =>
          answers(messaging.client.send(pattern, 1)),
        );
      await expect(ask('stock.trusts')).resolves.toEqual(['acme']);
      await messaging.traces.expect(request('stock.trusts', handler('StockController.trusts')));
      await expect(ask('stock.doubts')).resolves.toEqual(['unknown']);
      await messaging.traces.until((all) => all.length === 3);
      const spans = messaging.traces.take();
      const [client, server] = [SpanKind.CLIENT, SpanKind.SERVER].map((kind) =>
        spans.find((span) => span.kind === kind),
      );
      expect(server?.parentSpanContext).toBeUndefined();
      expect(server?.links.map((link) => link.context.spanId)).toEqual([client?.spanContext().spanId]);
    });

    it('traces a message of almost a megabyte, and records nothing of it', async () => {
      const item = 'x'.repeat(900_000);
      await expect(answers(messaging.client.send('stock.reserve', { item }))).resolves.toEqual([`reserved ${item}`]);
      await messaging.traces.until((all) => all.length === 4);
      for (const { attributes, events } of messaging.traces.take())
        expect(JSON.stringify([attributes, events]).length).toBeLessThan(2000);
    });

    it('traces an answer without a value', async () => {
      await expect(answers(messaging.client.send('stock.nothing', {}))).resolves.toEqual(emptyAnswer);
      await messaging.traces.expect(request('stock.nothing', handler('StockController.nothing')));
    });

    it('traces a request to a controller of request scope', async () => {
      await expect(answers(messaging.client.send('scoped.ask', 'x'))).resolves.toEqual(['asked x']);
      await messaging.traces.expect(request('scoped.ask', handler('ScopedController.ask')));
    });

    it.each([
      ['stock.breaks', 'Error: broke', 'StockController.breaks'],
      ['stock.refuses', 'RpcException: sold out', 'StockController.refuses'],
      ['stock.failsAfterOne', 'RpcException: gone', 'StockController.failsAfterOne'],
    ])('records the exception of %s once', async (pattern, exception, handlerName) => {
      await answers(messaging.client.send(pattern, {}));
      await messaging.traces.until((all) => all.length === 3);
      const spans = messaging.traces.take();
      const [type, message] = exception.split(': ');
      const events = spans.map((span) => [
        span.name,
        span.events.map((event) => event.attributes?.['exception.message']),
      ]);
      expect(events).toContainEqual([handlerName, [message]]);
      const server = spans.find((span) => span.kind === SpanKind.SERVER);
      expect(server).toMatchObject({ events: [], status: { code: 2 }, attributes: { 'error.type': type } });
      const client = spans.find((span) => span.kind === SpanKind.CLIENT);
      expect(client).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': expect.any(String) } });
    });

    it('records the exception of a guard', async () => {
      await answers(messaging.client.send('stock.guarded', {}));
      await messaging.traces.until((all) => all.length === 2);
      const span = messaging.traces.spans.find(({ kind }) => kind === 1);
      expect(span?.events.map((event) => event.attributes?.['exception.message'])).toEqual(['not allowed']);
      expect(span?.attributes).toMatchObject({ 'error.type': 'RpcException' });
      messaging.traces.take();
    });

    it('takes what a filter answers for the outcome', async () => {
      await expect(answers(messaging.client.send('stock.filtered', {}))).resolves.toEqual([{ handled: 'filtered' }]);
      await messaging.traces.expect(
        request('stock.filtered', failed(handler('StockController.filtered'), 'Error: filtered')),
      );
    });

    it('gives each retry a span of its own', async () => {
      const call = add(1);
      await lastValueFrom(call);
      await lastValueFrom(call);
      await messaging.traces.expect(request(sum.text, sum.handler), request(sum.text, sum.handler));
    });

    it('links the handling of an event to the span that emitted it', async () => {
      const arrival = untilReceived('stock.changed');
      await lastValueFrom(messaging.client.emit('stock.changed', { item: 'tea' }), { defaultValue: undefined });
      await expect(arrival).resolves.toMatchObject({ data: { item: 'tea' } });
      await messaging.traces.until((all) => all.length === 3);
      const { spans } = messaging.traces;
      const sent = messaging.traces.named('send stock.changed');
      const processed = messaging.traces.named('process stock.changed');
      expect(sent.kind).toBe(3);
      expect(processed).toMatchObject({ kind: 4, parentSpanContext: undefined });
      expect(processed.links.map((link) => link.context.spanId)).toEqual([sent.spanContext().spanId]);
      expect(processed.spanContext().traceId).not.toBe(sent.spanContext().traceId);
      expect(spans.find((span) => span.name === 'StockController.changed')?.parentSpanContext?.spanId).toBe(
        processed.spanContext().spanId,
      );
      expect(processed.attributes).toMatchObject({
        'messaging.system': system,
        'messaging.operation.name': 'process',
        'messaging.destination.name': destination('stock.changed', 'server'),
      });
      messaging.traces.take();
    });

    it('shows each handler of an event that has several', async () => {
      const arrival = untilReceived('stock.counted');
      messaging.client.emit('stock.counted', {});
      await arrival;
      await messaging.traces.until((all) => all.length === 4);
      const processed = messaging.traces.named('process stock.counted');
      const handlers = messaging.traces.spans.filter((span) => span.kind === SpanKind.INTERNAL);
      expect(handlers.map((span) => span.name).toSorted()).toEqual(['StockAuditor.audited', 'StockCounter.counted']);
      for (const span of handlers) expect(span.parentSpanContext?.spanId).toBe(processed.spanContext().spanId);
      messaging.traces.take();
    });

    if (receivesUnmatched) {
      it('shows a message whose pattern no handler has, without the pattern as its name', async () => {
        await expect(answers(messaging.client.send('stock.unknown', {}))).resolves.toBeDefined();
        messaging.client.emit('stock.unknown', {});
        await messaging.traces.until((all) => all.length === 4);
        const unmatched = { status: { code: 2 }, attributes: { 'error.type': 'unmatched_pattern' } };
        const server = messaging.traces.spans.find((span) => span.kind === SpanKind.SERVER);
        expect(server).toMatchObject({ ...unmatched, name: '_OTHER' });
        expect(server?.parentSpanContext?.spanId).toBe(messaging.traces.named('stock.unknown').spanContext().spanId);
        const consumer = messaging.traces.spans.find((span) => span.kind === SpanKind.CONSUMER);
        expect(consumer).toMatchObject({ ...unmatched, name: 'process' });
        messaging.traces.take();
      });
    }

    it(`records the failure of the handler of an event${redelivers ? ', and the next delivery' : ''}`, async () => {
      const arrival = untilReceived('stock.lost');
      messaging.client.emit('stock.lost', { id: name });
      await arrival;
      await messaging.traces.until((all) => all.length === (redelivers ? 5 : 3));
      const sent = messaging.traces.named('send stock.lost');
      const deliveries = messaging.traces.spans.filter((span) => span.kind === SpanKind.CONSUMER);
      expect(deliveries[0]).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'Error' }, events: [] });
      expect(deliveries.slice(1).map((span) => span.status.code)).toEqual(redelivers ? [0] : []);
      for (const delivery of deliveries)
        expect(delivery.links.map((link) => link.context.spanId)).toEqual([sent.spanContext().spanId]);
      messaging.traces.take();
    });

    it('keeps the context of the caller in the callbacks of both', async () => {
      const tracer = trace.getTracer('test');
      const seen: (string | undefined)[] = [];
      const root = await tracer.startActiveSpan('root', async (span) => {
        const note = () => seen.push(trace.getActiveSpan()?.spanContext().spanId);
        await new Promise<void>((resolve, reject) => {
          add(1).subscribe({ next: note, error: reject, complete: resolve });
        });
        note();
        const arrival = untilReceived('stock.changed');
        await new Promise<void>((resolve, reject) => {
          messaging.client.emit('stock.changed', {}).subscribe({
            error: reject,
            complete: () => {
              note();
              resolve();
            },
          });
        });
        note();
        await arrival;
        span.end();
        return span.spanContext().spanId;
      });
      expect(seen).toEqual([root, root, root, root]);
      await messaging.traces.until((all) => all.length === 7);
      messaging.traces.take();
    });

    it('keeps 300 requests with 50 at a time apart', async () => {
      const tracer = trace.getTracer('test');
      const numbers = Array.from({ length: 300 }, (_, index) => index);
      const worker = async (): Promise<void> => {
        for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
          const current = number;
          await tracer.startActiveSpan(`request ${current}`, async (span) => {
            await expect(lastValueFrom(add(current, 1))).resolves.toBe(current + 1);
            span.end();
          });
        }
      };
      await Promise.all(Array.from({ length: 50 }, worker));
      await messaging.traces.until((all) => all.length === 1200);
      const byTrace = groupByTrace(messaging.traces.take());
      expect(byTrace.size).toBe(300);
      for (const spans of byTrace.values()) {
        expect(spans.map((span) => SpanKind[span.kind]).toSorted()).toEqual([
          'CLIENT',
          'INTERNAL',
          'INTERNAL',
          'SERVER',
        ]);
      }
    });

    it('leaves the payload as it is', async () => {
      const arrival = once('stock.changed');
      const data = Object.freeze({ options: Object.freeze({ a: 1 }), metadata: 'mine', nested: [1, { two: 2 }] });
      messaging.client.emit('stock.changed', structuredClone(data));
      await expect(arrival).resolves.toMatchObject({ data: system === 'mqtt' ? { metadata: 'mine' } : data });
      await messaging.traces.until((all) => all.length === 3);
      messaging.traces.take();
    });

    it('ends the span of a request whose caller has stopped to wait, and that of its handler at shutdown', async () => {
      const isHandled = messaging.traces.until(() => messaging.traces.open.includes('StockController.never'));
      const call = messaging.client.send('stock.never', {}).pipe(takeUntil(isHandled));
      await expect(firstValueFrom(call, { defaultValue: 'stopped' })).resolves.toBe('stopped');
      await messaging.traces.until((all) => all.length > 0);
      expect(messaging.traces.spans[0]).toMatchObject({
        name: 'stock.never',
        status: { code: 2 },
        attributes: { 'error.type': 'CANCELLED' },
      });
      if (waitsForHandlers) received.emit('end stock.never');
      await messaging.close();
      expect(messaging.traces.spans.filter((span) => span.kind !== SpanKind.INTERNAL)).toMatchObject([
        { kind: SpanKind.CLIENT, status: { code: 2 } },
        { kind: SpanKind.SERVER, status: { code: 0 } },
      ]);
      expect(messaging.traces.open).toEqual(waitsForHandlers ? [] : ['StockController.never']);
    });
  });
}

function once(what: string): Promise<unknown> {
  return new Promise((resolve) => received.once(what, resolve));
}

function groupByTrace(spans: readonly ReadableSpan[]): Map<string, ReadableSpan[]> {
  const byTrace = new Map<string, ReadableSpan[]>();
  for (const span of spans) {
    const { traceId } = span.spanContext();
    byTrace.set(traceId, [...(byTrace.get(traceId) ?? []), span]);
  }
  return byTrace;
}
