import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Inject, Injectable, Scope } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { trace } from '@opentelemetry/api';
import { NoSpan, Span, TracingService } from 'nestjs-tracing';
import { Observable, of } from 'rxjs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Errors, startTracedContext, type ContextOptions, type TracedContext } from '../support/traced-context.js';
import { failed, type ExpectedSpan } from '../support/trace-tree.js';

const BROKEN = Symbol('broken');
const notSuppressed = { suppressErrors: false };

@Injectable()
class Listeners {
  static readonly calls: unknown[] = [];
  constructor(
    @Inject(EventEmitter2) private readonly emitter: EventEmitter2,
    @Inject(TracingService) private readonly tracing: TracingService,
  ) {}

  @OnEvent('sync')
  sync(payload: unknown, second: unknown): unknown {
    this.tracing.addEvent('seen');
    Listeners.calls.push([payload, second]);
    return payload;
  }

  @OnEvent('async')
  async afterATurn(): Promise<string> {
    await nextTurn();
    return this.tracing.span('work', () => 'done');
  }

  @OnEvent('fails')
  @OnEvent(BROKEN)
  async fails(): Promise<never> {
    await nextTurn();
    throw new Error('broke');
  }

  @OnEvent('throws', notSuppressed)
  throws(): never {
    throw new Error('broke at once');
  }

  @OnEvent('outer')
  outer(): void {
    this.emitter.emit('sync', 'inner');
  }

  @OnEvent('joined')
  @Span({ attributes: { own: true } })
  joined(): void {}

  @NoSpan()
  @OnEvent('silent')
  silent(): void {
    this.tracing.span('hidden', () => {});
  }

  @OnEvent('stream')
  stream(): Observable<number> {
    return of(1);
  }
}

@Injectable()
class SpecialListeners extends Listeners {
  // Nest reads the metadata of the method, which is that of the base class.
}

@Injectable()
class Order {
  static readonly seen: string[] = [];

  @OnEvent('ordered')
  second(): void {
    Order.seen.push('second');
  }

  @OnEvent('ordered', { prependListener: true })
  first(): void {
    Order.seen.push('first');
  }

  @OnEvent('later', { async: true })
  later(): void {}

  @OnEvent('promised', { async: true, promisify: true })
  promised(): string {
    return 'kept';
  }

  @OnEvent('ticked', { async: true, nextTick: true })
  ticked(): void {}
}

@Injectable()
class Wild {
  @OnEvent('order.*')
  any(): void {}

  @OnEvent(['payment', 'received'])
  segments(): void {}

  @OnEvent('**')
  everything(): void {}
}

@Injectable({ scope: Scope.REQUEST })
class PerEvent {
  static instances = 0;
  constructor(@Inject(EventEmitter2) private readonly emitter: EventEmitter2) {
    PerEvent.instances++;
    this.emitter.emit('created');
  }

  @OnEvent('scoped')
  @OnEvent('scoped too')
  async handle(payload: unknown): Promise<unknown> {
    this.emitter.emit('inside');
    await nextTurn();
    return payload;
  }
}

@Injectable()
class Around {
  @OnEvent('created')
  created(): void {}

  @OnEvent('inside')
  inside(): void {}
}

/** Stands in for the service of TracingModule. */
const untracedService = {
  provide: TracingService,
  useValue: { addEvent: () => {}, span: (_name: string, fn: () => unknown) => fn() },
};

let context: TracedContext | undefined;
afterEach(async () => {
  await context?.close();
  context = undefined;
});

async function start(providers: ContextOptions['providers'], options: Partial<ContextOptions> = {}, wildcard = false) {
  context = await startTracedContext({
    ...options,
    imports: [EventEmitterModule.forRoot({ wildcard })],
    providers: [...(providers ?? []), ...(options.tracing === false ? [untracedService] : [])],
  });
  return { ...context, emitter: context.app.get(EventEmitter2) };
}

function listener(name: string, event: string | undefined, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'code.function.name': name, 'nestjs.event.name': event }, children };
}

describe('a listener', () => {
  it('has a span below the span that is active where the event is emitted', async () => {
    const { emitter, inSpan, traces } = await start([Listeners]);
    const payload = { id: 1 };
    inSpan('publisher', () => emitter.emit('sync', payload, 'more'));
    expect(Listeners.calls.pop()).toEqual([payload, 'more']);
    await traces.expect({
      name: 'publisher',
      children: [{ ...listener('Listeners.sync', 'sync'), events: ['seen'] }],
    });
  });

  it('has a span until its promise is settled, which may be after that of the publisher', async () => {
    const { emitter, inSpan, traces } = await start([Listeners]);
    inSpan('publisher', () => emitter.emit('async'));
    await traces.expect({
      name: 'publisher',
      children: [listener('Listeners.afterATurn', 'async', { name: 'work' })],
    });
  });

  it('starts a trace where no span is active', async () => {
    const { emitter, traces } = await start([Listeners]);
    emitter.emit('sync');
    await traces.expect({ ...listener('Listeners.sync', 'sync'), events: ['seen'] });
  });

  it('has a failed span, and the package logs and suppresses the failure as without tracing', async () => {
    const logger = new Errors();
    const { emitter, inSpan, traces } = await start([Listeners], { logger });
    const results = await inSpan('publisher', () => emitter.emitAsync('fails'));
    expect(results).toEqual([undefined]);
    expect(logger.messages).toEqual(['broke']);
    await traces.expect({
      name: 'publisher',
      children: [failed(listener('Listeners.fails', 'fails'), 'Error: broke')],
    });
  });

  it('records a failure that is not suppressed once, however far it goes', async () => {
    const { emitter, inSpan, traces } = await start([Listeners]);
    const publish = () => inSpan('publisher', () => emitter.emitAsync('throws'));
    await expect(publish()).rejects.toThrow('broke at once');
    const child = failed(listener('Listeners.throws', 'throws'), 'Error: broke at once');
    await traces.expect(failed({ name: 'publisher', children: [child] }, 'Error: broke at once', 'further in'));
  });

  it('nests below a listener that emits again', async () => {
    const { emitter, traces } = await start([Listeners]);
    emitter.emit('outer');
    const inner = { ...listener('Listeners.sync', 'sync'), events: ['seen'] };
    await traces.expect(listener('Listeners.outer', 'outer', inner));
  });

  it('has one span together with @Span(), and none with @NoSpan()', async () => {
    const { emitter, inSpan, traces } = await start([Listeners, SpecialListeners]);
    inSpan('publisher', () => {
      emitter.emit('joined');
      emitter.emit('silent');
    });
    const inherited = listener('SpecialListeners.joined', 'joined');
    await traces.expect({
      name: 'publisher',
      children: [
        { ...listener('Listeners.joined', 'joined'), attributes: { own: true, 'nestjs.event.name': 'joined' } },
        { ...inherited, attributes: { own: true, 'code.function.name': 'Listeners.joined' } },
      ],
    });
  });

  it('may have symbols, segments and wildcards in its event', async () => {
    const wild = await start([Wild], {}, true);
    wild.emitter.emit('order.placed');
    wild.emitter.emit(['payment', 'received']);
    await wild.traces.expect(
      listener('Wild.any', 'order.placed'),
      listener('Wild.everything', 'order.placed'),
      listener('Wild.segments', 'payment.received'),
      listener('Wild.everything', 'payment.received'),
    );
    await wild.close();
    const plain = await start([Listeners], { logger: new Errors() });
    plain.emitter.emit(BROKEN);
    await plain.traces.expect(failed(listener('Listeners.fails', 'Symbol(broken)'), 'Error: broke'));
  });

  it('runs in the order and at the time of its options', async () => {
    const { emitter, inSpan, traces } = await start([Order]);
    await inSpan('publisher', async () => {
      emitter.emit('ordered');
      expect(Order.seen.splice(0)).toEqual(['first', 'second']);
      emitter.emit('later');
      emitter.emit('ticked');
      expect(await emitter.emitAsync('promised')).toEqual(['kept']);
    });
    await traces.until((spans) => spans.length === 6);
    const names = ['Order.first', 'Order.second', 'Order.later', 'Order.ticked', 'Order.promised'];
    const found = traces.take().filter(({ name }) => name !== 'publisher');
    expect(found.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
    for (const { attributes, name } of found) {
      const event = name.replace('Order.', '').replace(/first|second/, 'ordered');
      expect(attributes['nestjs.event.name']).toBe(event);
    }
    expect(new Set(found.map(({ parentSpanContext }) => parentSpanContext?.spanId)).size).toBe(1);
  });

  it('of request scope has a span with the event it was called for, whatever is emitted until then', async () => {
    const { emitter, inSpan, traces } = await start([PerEvent, Around]);
    PerEvent.instances = 0;
    await inSpan('publisher', async () => {
      const results = await Promise.all([emitter.emitAsync('scoped', 1), emitter.emitAsync('scoped too', 2)]);
      expect(results).toEqual([[1], [2]]);
    });
    expect(PerEvent.instances).toBe(2);
    await traces.expect({
      name: 'publisher',
      children: [
        listener('Around.created', 'created'),
        listener('Around.created', 'created'),
        listener('PerEvent.handle', 'scoped', listener('Around.inside', 'inside')),
        listener('PerEvent.handle', 'scoped too', listener('Around.inside', 'inside')),
      ],
    });
  });

  it('is called once for each event after the method was replaced, and the replacement has the span', async () => {
    const { app, emitter, traces } = await start([Listeners]);
    const spy = jest.spyOn(app.get(Listeners), 'sync').mockReturnValue('mocked');
    expect(await emitter.emitAsync('sync', 1)).toEqual(['mocked']);
    expect(spy.mock.calls).toEqual([[1]]);
    await traces.expect(listener('Listeners.sync', 'sync'));
  });
});

describe('the package', () => {
  it.each([[false as const], [{}]])('behaves the same with tracing: %j', async (tracing) => {
    const logger = new Errors();
    const { app, emitter } = await start([Listeners, Order, PerEvent], { tracing, logger });
    const instance = app.get(Listeners);
    const payload = { id: 1 };
    expect(await emitter.emitAsync('sync', payload)).toEqual([payload]);
    const [result] = (await emitter.emitAsync('sync', payload)) as [unknown];
    expect(result).toBe(payload);
    const [stream] = (await emitter.emitAsync('stream')) as [unknown];
    expect(Object.getPrototypeOf(stream)).toBe(Observable.prototype);
    expect(Object.getOwnPropertyNames(instance).toSorted()).toEqual(['emitter', 'tracing']);
    expect(Object.getOwnPropertyNames(Listeners.prototype.sync).toSorted()).toEqual(['length', 'name']);
    expect(emitter.listeners('sync')).toHaveLength(1);
    expect(emitter.emit('nothing')).toBe(false);
    const waiting = emitter.waitFor('sync', { timeout: 1000 } as never);
    emitter.emit('sync', 'awaited');
    expect(await waiting).toEqual(['awaited']);
  });

  it('keeps the context of the caller that waits for an event', async () => {
    const { emitter, inSpan } = await start([Listeners]);
    const [before, after] = await inSpan('waiting', async () => {
      const active = trace.getActiveSpan();
      const waiting = emitter.waitFor('sync');
      setImmediate(() => inSpan('other', () => emitter.emit('sync')));
      await waiting;
      return [active, trace.getActiveSpan()];
    });
    expect(after).toBe(before);
  });

  it('has no spans if the option says so', async () => {
    const { emitter, inSpan, traces } = await start([Listeners], { tracing: { events: { emitter: false } } });
    inSpan('publisher', () => emitter.emit('sync'));
    await traces.expect({ name: 'publisher', events: ['seen'] });
  });

  it('is as it was when the application has closed', async () => {
    const { app, close } = await start([Listeners]);
    const loader = findLoader(app.get(ModulesContainer));
    expect(Object.hasOwn(loader, 'wrapFunctionInTryCatchBlocks')).toBe(true);
    await close();
    expect(Object.hasOwn(loader, 'wrapFunctionInTryCatchBlocks')).toBe(false);
    expect(Object.hasOwn(loader, 'registerRequestScopedListener')).toBe(false);
    context = undefined;
  });
});

/** Returns the object of the package that calls listeners. */
function findLoader(modules: ModulesContainer): object {
  for (const { providers } of modules.values()) {
    for (const { instance } of providers.values()) {
      if ((instance as object | null)?.constructor.name === 'EventSubscribersLoader') return instance as object;
    }
  }
  throw new Error('there is no loader');
}
