import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Get, Inject, Injectable, Scope } from '@nestjs/common';
import {
  AggregateRoot,
  AsyncContext,
  CommandBus,
  CommandHandler,
  CqrsModule,
  EventBus,
  EventPublisher,
  EventsHandler,
  ofType,
  QueryBus,
  QueryHandler,
  Saga,
  UnhandledExceptionBus,
  type CqrsModuleOptions,
  type ICommandHandler,
  type IEventHandler,
  type IQueryHandler,
} from '@nestjs/cqrs';
import { NoSpan, Span, TracingService } from 'nestjs-tracing';
import { delay, map, type Observable } from 'rxjs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { withHttpApp } from '../support/http-app.js';
import { Errors, startTracedContext, type ContextOptions, type TracedContext } from '../support/traced-context.js';
import { waitFor } from '../support/wait-for.js';
import { failed, handler, server, type ExpectedSpan } from '../support/trace-tree.js';

class PlaceOrder {
  constructor(readonly id: string) {}
}
class ShipOrder {
  constructor(readonly id: string) {}
}
class BillOrder {
  readonly type = 'BillOrder';
}
class CountOrders {
  readonly type = 'CountOrders';
}
class Fail {
  readonly type = 'Fail';
}
class OrderPlaced {
  constructor(readonly id: string) {}
}
class OrderBroken {
  readonly type = 'OrderBroken';
}
class ScopedCommand {
  readonly type = 'ScopedCommand';
}
class ScopedQuery {
  readonly type = 'ScopedQuery';
}
class ScopedEvent {
  readonly type = 'ScopedEvent';
}

class Order extends AggregateRoot {
  constructor(readonly id: string) {
    super();
  }
  place(): void {
    this.apply(new OrderPlaced(this.id));
  }
}

@CommandHandler(PlaceOrder)
class PlaceOrderHandler implements ICommandHandler<PlaceOrder> {
  constructor(
    @Inject(EventPublisher) private readonly publisher: EventPublisher,
    @Inject(TracingService) private readonly tracing: TracingService,
  ) {}

  async execute({ id }: PlaceOrder): Promise<string> {
    await nextTurn();
    const order = this.publisher.mergeObjectContext(new Order(id));
    order.place();
    order.commit();
    this.tracing.addEvent('committed');
    return `placed ${id}`;
  }
}

@CommandHandler(ShipOrder)
class ShipOrderHandler implements ICommandHandler<ShipOrder> {
  @Span({ attributes: { own: true } })
  async execute(): Promise<void> {
    await nextTurn();
  }
}

@CommandHandler(BillOrder)
class BillOrderHandler implements ICommandHandler<BillOrder> {
  @NoSpan()
  execute(): Promise<string> {
    return Promise.resolve('billed');
  }
}

@CommandHandler(Fail)
class FailHandler implements ICommandHandler<Fail> {
  async execute(): Promise<never> {
    await nextTurn();
    throw new Error('cannot');
  }
}

@QueryHandler(CountOrders)
class CountOrdersHandler implements IQueryHandler<CountOrders> {
  async execute(): Promise<number> {
    await nextTurn();
    return 7;
  }
}

@EventsHandler(OrderPlaced)
class Notify implements IEventHandler<OrderPlaced> {
  static readonly seen: unknown[] = [];
  constructor(@Inject(TracingService) private readonly tracing: TracingService) {}
  async handle(event: OrderPlaced): Promise<void> {
    await nextTurn();
    this.tracing.span('mail', () => Notify.seen.push(event));
  }
}

@EventsHandler(OrderPlaced, OrderBroken)
class Audit implements IEventHandler<OrderPlaced> {
  handle(event: OrderPlaced | OrderBroken): void {
    if (event instanceof OrderBroken) throw new Error('no audit');
  }
}

@Injectable()
class OrderSagas {
  @Saga()
  shipping = (events: Observable<object>): Observable<ShipOrder> =>
    events.pipe(
      ofType(OrderPlaced),
      map(({ id }) => new ShipOrder(id)),
    );
}

@Injectable()
class LateSagas {
  @Saga()
  late = (events: Observable<object>): Observable<ShipOrder> =>
    events.pipe(
      ofType(OrderPlaced),
      delay(5),
      map(({ id }) => new ShipOrder(id)),
    );
}

@CommandHandler(ScopedCommand, { scope: Scope.REQUEST })
class ScopedCommandHandler implements ICommandHandler<ScopedCommand> {
  static readonly contexts: unknown[] = [];
  constructor(@Inject('REQUEST') request: unknown) {
    ScopedCommandHandler.contexts.push(request);
  }
  async execute(): Promise<string> {
    await nextTurn();
    return 'scoped';
  }
}

@QueryHandler(ScopedQuery, { scope: Scope.REQUEST })
class ScopedQueryHandler implements IQueryHandler<ScopedQuery> {
  execute(): Promise<string> {
    return Promise.resolve('asked');
  }
}

@EventsHandler(ScopedEvent)
@Injectable({ scope: Scope.REQUEST })
class ScopedEventHandler implements IEventHandler<ScopedEvent> {
  static readonly instances = new Set<unknown>();
  constructor(@Inject('REQUEST') private readonly request: unknown) {}
  handle(): void {
    ScopedEventHandler.instances.add(this.request ?? this);
  }
}

const HANDLERS = [
  PlaceOrderHandler,
  ShipOrderHandler,
  BillOrderHandler,
  FailHandler,
  CountOrdersHandler,
  Notify,
  Audit,
];

let context: TracedContext | undefined;
afterEach(async () => {
  await context?.close();
  context = undefined;
});

async function start(
  more: ContextOptions['providers'] = [],
  options: Partial<ContextOptions> = {},
  cqrs: CqrsModuleOptions = {},
) {
  context = await startTracedContext({
    ...options,
    imports: [CqrsModule.forRoot(cqrs)],
    providers: [...HANDLERS, ...more, ...(options.tracing === false ? [untracedService] : [])],
  });
  const { app } = context;
  return { ...context, commands: app.get(CommandBus), queries: app.get(QueryBus), events: app.get(EventBus) };
}

const untracedService = {
  provide: TracingService,
  useValue: { addEvent: () => {}, span: (_name: string, fn: () => unknown) => fn() },
};

function span(name: string, attributes: Record<string, unknown>, ...children: ExpectedSpan[]): ExpectedSpan {
  return { name, attributes: { 'code.function.name': name, ...attributes }, children };
}
const command = (name: string, value: string, ...children: ExpectedSpan[]) =>
  span(name, { 'nestjs.command.name': value }, ...children);
const event = (name: string, value: string, ...children: ExpectedSpan[]) =>
  span(name, { 'nestjs.event.name': value }, ...children);

const notified = event('Notify.handle', 'OrderPlaced', { name: 'mail' });
const audited = event('Audit.handle', 'OrderPlaced');

describe('commands, queries and events', () => {
  it('have a span for each handler, below the sender: a command, and the events it causes below it', async () => {
    const { commands, inSpan, traces } = await start();
    const result = await inSpan('sender', () => commands.execute(new PlaceOrder('1')));
    expect(result).toBe('placed 1');
    const placed = command('PlaceOrderHandler.execute', 'PlaceOrder', notified, audited);
    await traces.expect({ name: 'sender', children: [{ ...placed, events: ['committed'] }] });
  });

  it('have a span for each query', async () => {
    const { inSpan, queries, traces } = await start();
    expect(await inSpan('sender', () => queries.execute(new CountOrders()))).toBe(7);
    const counted = span('CountOrdersHandler.execute', { 'nestjs.query.name': 'CountOrders' });
    await traces.expect({ name: 'sender', children: [counted] });
  });

  it('have spans for each of several events', async () => {
    const { events, inSpan, traces } = await start();
    inSpan('sender', () => events.publishAll([new OrderPlaced('1'), new OrderPlaced('2')]));
    await traces.expect({ name: 'sender', children: [notified, audited, notified, audited] });
  });

  it('start a trace where no span is active', async () => {
    const { commands, events, traces } = await start();
    await commands.execute(new ShipOrder('1'));
    events.publish(new OrderPlaced('1'));
    await traces.until((spans) => spans.length === 4);
    const shipped = command('ShipOrderHandler.execute', 'ShipOrder');
    await traces.expect(shipped, notified, audited);
  });

  it('have one span together with @Span(), and none with @NoSpan()', async () => {
    const { commands, inSpan, traces } = await start();
    await inSpan('sender', async () => {
      await commands.execute(new ShipOrder('1'));
      expect(await commands.execute(new BillOrder())).toBe('billed');
    });
    const shipped = span('ShipOrderHandler.execute', { own: true, 'nestjs.command.name': 'ShipOrder' });
    await traces.expect({ name: 'sender', children: [shipped] });
  });

  it('record the failure of a command once, however far it goes', async () => {
    const { commands, inSpan, traces } = await start();
    await expect(inSpan('sender', () => commands.execute(new Fail()))).rejects.toThrow('cannot');
    const child = failed(command('FailHandler.execute', 'Fail'), 'Error: cannot');
    await traces.expect(failed({ name: 'sender', children: [child] }, 'Error: cannot', 'further in'));
  });

  it('record the failure of an event handler on its span, and the package reports it as without tracing', async () => {
    const logger = new Errors();
    const { app, events, inSpan, traces } = await start([], { logger });
    const reported: unknown[] = [];
    app.get(UnhandledExceptionBus).subscribe((info) => reported.push(info));
    const broken = new OrderBroken();
    inSpan('sender', () => events.publish(broken));
    expect(reported).toEqual([{ cause: broken, exception: new Error('no audit') }]);
    expect(logger.messages).toHaveLength(1);
    const child = failed(event('Audit.handle', 'OrderBroken'), 'Error: no audit');
    await traces.expect({ name: 'sender', children: [child] });
  });

  it('have the command of a saga below the span that published the event', async () => {
    const { commands, inSpan, traces } = await start([OrderSagas]);
    await inSpan('sender', () => commands.execute(new PlaceOrder('1')));
    const shipped = span('ShipOrderHandler.execute', {
      own: true,
      'nestjs.command.name': 'ShipOrder',
      'nestjs.saga.name': 'shipping',
    });
    const placed = command('PlaceOrderHandler.execute', 'PlaceOrder', notified, audited, shipped);
    await traces.expect({ name: 'sender', children: [{ ...placed, events: ['committed'] }] });
  });

  it('have the command of a saga there even if it comes when the publisher is over', async () => {
    const { events, inSpan, traces } = await start([LateSagas]);
    inSpan('sender', () => events.publish(new OrderPlaced('1')));
    const shipped = span('ShipOrderHandler.execute', { own: true, 'nestjs.saga.name': 'late' });
    await traces.expect({ name: 'sender', children: [notified, audited, shipped] });
  });

  it('have spans for handlers of request scope, with the context they are given', async () => {
    const scoped = [ScopedCommandHandler, ScopedQueryHandler, ScopedEventHandler];
    const { commands, events, inSpan, queries, traces } = await start(scoped);
    const asyncContext = new AsyncContext();
    ScopedEventHandler.instances.clear();
    await inSpan('sender', async () => {
      expect(await commands.execute(new ScopedCommand(), asyncContext)).toBe('scoped');
      expect(await queries.execute(new ScopedQuery(), asyncContext)).toBe('asked');
      events.publish(new ScopedEvent(), asyncContext);
      events.publish(new ScopedEvent(), asyncContext);
    });
    expect(ScopedCommandHandler.contexts.pop()).toBe(asyncContext);
    await traces.expect({
      name: 'sender',
      children: [
        command('ScopedCommandHandler.execute', 'ScopedCommand'),
        span('ScopedQueryHandler.execute', { 'nestjs.query.name': 'ScopedQuery' }),
        event('ScopedEventHandler.handle', 'ScopedEvent'),
        event('ScopedEventHandler.handle', 'ScopedEvent'),
      ],
    });
    expect([...ScopedEventHandler.instances]).toEqual([asyncContext]);
  });

  it('call the handler that a test has put in place', async () => {
    const { app, commands, events, traces } = await start();
    const execute = jest.spyOn(app.get(ShipOrderHandler), 'execute').mockResolvedValue(undefined);
    const handle = jest.spyOn(app.get(Audit), 'handle').mockReturnValue(undefined);
    const order = new ShipOrder('1');
    await commands.execute(order);
    events.publish(new OrderBroken());
    expect(execute.mock.calls).toEqual([[order]]);
    expect(handle).toHaveBeenCalledTimes(1);
    await traces.expect(command('ShipOrderHandler.execute', 'ShipOrder'), event('Audit.handle', 'OrderBroken'));
  });

  it('have no spans if the option says so', async () => {
    const { commands, inSpan, traces } = await start([OrderSagas], { tracing: { events: { cqrs: false } } });
    await inSpan('sender', () => commands.execute(new PlaceOrder('1')));
    const shipped = { name: 'ShipOrderHandler.execute', attributes: { 'nestjs.command.name': undefined } };
    await traces.expect({ name: 'sender', events: ['committed'], children: [shipped, { name: 'mail' }] });
  });
});

/** A command that nothing handles. */
class FailSafe {
  readonly type = 'FailSafe';
}

describe('the package', () => {
  it.each([[false as const], [{}]])('behaves the same with tracing: %j', async (tracing) => {
    const logger = new Errors();
    const { app, commands, events, queries } = await start([OrderSagas], { tracing, logger });
    const published: unknown[] = [];
    const subscription = events.subscribe((each) => published.push(each));
    expect(() => commands.execute(new FailSafe())).toThrow('No handler found for the command: "FailSafe".');
    await expect(queries.execute(new FailSafe())).rejects.toThrow('No handler found for the query: "FailSafe"');
    Notify.seen.length = 0;
    await commands.execute(new PlaceOrder('1'));
    expect(published).toEqual([new OrderPlaced('1')]);
    await waitFor({ expected: 'the notification', look: () => Notify.seen.length });
    subscription.unsubscribe();
    for (const type of HANDLERS) {
      const methods = Reflect.ownKeys(app.get(type)).filter((key) => key === 'execute' || key === 'handle');
      expect(methods).toEqual([]);
    }
  });

  it.each([[false as const], [{}]])('rethrows what event handlers throw, with tracing: %j', async (tracing) => {
    const { events } = await start([], { tracing }, { rethrowUnhandled: true });
    const timers = jest.spyOn(globalThis, 'setTimeout').mockImplementation((() => 0) as never);
    events.publish(new OrderBroken());
    // RxJS reports an unhandled error in a timer.
    const report = timers.mock.calls.at(-1)?.[0] as () => void;
    timers.mockRestore();
    expect(report).toThrow('no audit');
  });

  it('has its handlers back when the application has closed', async () => {
    const { app, close, commands, events } = await start();
    expect(Object.hasOwn(commands, 'bind') && Object.hasOwn(events, 'bind')).toBe(true);
    await close();
    context = undefined;
    for (const bus of [commands, events, app.get(QueryBus)]) expect(Object.hasOwn(bus, 'bind')).toBe(false);
    const { handlers } = commands as unknown as { handlers: Map<string, () => unknown> };
    expect([...handlers.values()].map(({ name }) => name)).not.toContain('tracedExecute');
  });
});

describe('a command of a controller', () => {
  @Controller()
  class OrdersController {
    constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}
    @Get('fails')
    fails(): Promise<unknown> {
      return this.commands.execute(new Fail());
    }
  }

  it('fails with one exception for the whole request', async () => {
    await withHttpApp(
      'Express',
      { imports: [CqrsModule.forRoot()], providers: HANDLERS, controllers: [OrdersController] },
      async (http) => {
        expect((await http.request('/fails')).status).toBe(500);
        const child = failed(command('FailHandler.execute', 'Fail'), 'Error: cannot');
        await http.traces.expect(
          server('GET /fails', 500, failed(handler('OrdersController.fails', child), 'Error: cannot', 'further in')),
        );
      },
    );
  });
});
