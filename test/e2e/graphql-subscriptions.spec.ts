import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable, UseGuards, type CanActivate, type ExecutionContext } from '@nestjs/common';
import {
  Args,
  Field,
  GqlExecutionContext,
  Int,
  Mutation,
  ObjectType,
  Query,
  ResolveField,
  Resolver,
  Subscription,
} from '@nestjs/graphql';
import { SpanKind } from '@opentelemetry/api';
import { Span } from 'nestjs-tracing';
import { WebSocket } from 'ws';
import { startGraphQLApp, type GraphQLApp, type GraphQLServer } from '../support/graphql-app.js';
import { untraced } from '../support/http-app.js';
import { failed, handler, type ExpectedSpan } from '../support/trace-tree.js';
import { waitFor } from '../support/wait-for.js';

type Listener = (payload: unknown) => void;

/** Publishes events to whoever iterates over a channel. */
class Channel {
  readonly listeners = new Set<Listener>();
  publish(payload: unknown): void {
    for (const listener of this.listeners) listener(payload);
  }

  events(): AsyncIterableIterator<unknown> {
    const { listeners } = this;
    const queue: unknown[] = [];
    const wanted: ((result: IteratorResult<unknown>) => void)[] = [];
    const listener: Listener = (payload) => {
      const want = wanted.shift();
      if (want) want({ value: payload, done: false });
      else queue.push(payload);
    };
    listeners.add(listener);
    return {
      next: () =>
        queue.length > 0
          ? Promise.resolve({ value: queue.shift(), done: false })
          : new Promise((resolve) => wanted.push(resolve)),
      return() {
        listeners.delete(listener);
        for (const want of wanted.splice(0)) want({ value: undefined, done: true });
        return Promise.resolve({ value: undefined, done: true as const });
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}

const orders = new Channel();

@ObjectType()
class Order {
  @Field(() => Int)
  id!: number;
}

class PricesService {
  @Span()
  async of(id: number): Promise<number> {
    await Promise.resolve();
    return id * 10;
  }
}

const prices = new PricesService();

@Injectable()
class Closed implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (GqlExecutionContext.create(context).getArgs<{ kind: string }>().kind === 'closed')
      throw new TypeError('no key');
    return true;
  }
}

@Resolver(() => Order)
class OrdersResolver {
  @Query(() => Int)
  async count(): Promise<number> {
    return prices.of(1);
  }

  @Query(() => Int, { nullable: true })
  async fails(): Promise<never> {
    throw new TypeError('no');
  }

  @Mutation(() => Int)
  publish(): number {
    orders.publish({ orderPlaced: { id: 7 } });
    return 1;
  }

  @Subscription(() => Order)
  @UseGuards(Closed)
  orderPlaced(@Args('kind', { type: () => String, nullable: true }) _kind?: string): AsyncIterable<unknown> {
    return orders.events();
  }

  @Subscription(() => Order, { filter: ({ orderPlaced }: { orderPlaced: Order }) => orderPlaced.id > 1 })
  filtered(): AsyncIterable<unknown> {
    return orders.events();
  }

  @Subscription(() => Order, {
    async resolve(payload: { orderPlaced: Order }) {
      if (payload.orderPlaced.id === 13) throw new Error('bad luck');
      await prices.of(payload.orderPlaced.id);
      return payload.orderPlaced;
    },
  })
  async *resolved(): AsyncGenerator {
    yield* orders.events();
  }

  @ResolveField(() => Int)
  async price(): Promise<number> {
    return prices.of(2);
  }
}

/** A client of the protocol graphql-transport-ws. */
class Client {
  private readonly received: { type: string; payload?: unknown }[] = [];
  private readonly wanted: ((message: { type: string; payload?: unknown }) => void)[] = [];
  private constructor(private readonly socket: WebSocket) {
    socket.on('message', (text: Buffer) => {
      const message = JSON.parse(text.toString()) as { type: string };
      if (message.type === 'ka' || message.type === 'ping') return;
      const want = this.wanted.shift();
      if (want) want(message);
      else this.received.push(message);
    });
  }

  static async connect(port: number, parameters?: object): Promise<Client> {
    const socket = untraced(() => new WebSocket(`ws://127.0.0.1:${port}/graphql`, 'graphql-transport-ws'));
    const client = new Client(socket);
    await new Promise((resolve, reject) => {
      socket.once('open', resolve);
      socket.once('error', reject);
    });
    client.send({ type: 'connection_init', payload: parameters });
    expect((await client.next()).type).toBe('connection_ack');
    return client;
  }

  send(message: object): void {
    untraced(() => this.socket.send(JSON.stringify(message)));
  }

  start(id: string, query: string, extensions?: object): void {
    this.send({ id, type: 'subscribe', payload: { query, extensions } });
  }

  next(): Promise<{ type: string; payload?: unknown }> {
    const message = this.received.shift();
    return message ? Promise.resolve(message) : new Promise((resolve) => this.wanted.push(resolve));
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.readyState === WebSocket.CLOSED) return resolve();
      this.socket.once('close', () => resolve());
      this.socket.close();
    });
  }
}

const servers = [['Apollo on Express'], ['Apollo on Fastify'], ['Mercurius']] as const satisfies [GraphQLServer][];

describe.each(servers)('a subscription with %s', (kind) => {
  let app: GraphQLApp;
  let client: Client;
  const graphql =
    kind === 'Mercurius' ? { subscription: { fullWsTransport: true } } : { subscriptions: { 'graphql-ws': true } };
  beforeEach(async () => {
    app = await startGraphQLApp(kind, { resolvers: [OrdersResolver], graphql });
    client = await Client.connect(app.port);
    app.traces.reset();
  });
  afterEach(async () => {
    await client.close();
    await app.close();
    // A generator that waits for an event cannot be closed.
    orders.listeners.clear();
  });

  const root = (name: string, ...children: ExpectedSpan[]): ExpectedSpan => ({
    name,
    kind: 'SERVER',
    attributes: { 'graphql.operation.type': 'subscription' },
    children,
  });
  const started = (): Promise<void> => app.traces.until((spans) => spans.some(({ kind }) => kind === SpanKind.SERVER));

  it('has a trace for its start, and one for each event', async () => {
    client.start('1', 'subscription OnOrder { orderPlaced { id price } }');
    await app.traces.expect(root('subscription OnOrder', handler('OrdersResolver.orderPlaced')));
    const price = { name: 'PricesService.of' };
    for (const id of [1, 2]) {
      orders.publish({ orderPlaced: { id } });
      expect(await client.next()).toMatchObject({
        type: 'next',
        payload: { data: { orderPlaced: { id, price: 20 } } },
      });
      await app.traces.expect(root('subscription OnOrder event', price));
    }
    client.send({ id: '1', type: 'complete' });
    await waitFor({ expected: 'no listener', look: () => orders.listeners.size === 0 });
  });

  it('links its events to its start, and each is a trace of its own', async () => {
    client.start('1', 'subscription OnOrder { orderPlaced { id } }');
    await started();
    const start = app.traces.take().find(({ name }) => name === 'subscription OnOrder');
    // The event is published by a request, whose trace it does not belong to.
    await app.query('mutation { publish }');
    await client.next();
    await app.traces.until((spans) => spans.some(({ name }) => name.endsWith('event')));
    const event = app.traces.named('subscription OnOrder event');
    expect(event.parentSpanContext).toBeUndefined();
    expect(event.links.map(({ context }) => context.spanId)).toEqual([start?.spanContext().spanId]);
    const request = app.traces.named('POST /graphql');
    expect(request.spanContext().traceId).not.toBe(event.spanContext().traceId);
    expect(app.traces.named('OrdersResolver.publish').parentSpanContext?.spanId).toBe(request.spanContext().spanId);
  });

  it('is told apart from that of another client', async () => {
    const other = await Client.connect(app.port);
    client.start('1', 'subscription One { orderPlaced { price } }');
    other.start('1', 'subscription Two { orderPlaced { price } }');
    await app.traces.until((spans) => spans.length === 4);
    app.traces.take();
    orders.publish({ orderPlaced: { id: 1 } });
    await Promise.all([client.next(), other.next()]);
    await app.traces.until((spans) => spans.length === 4);
    const spans = app.traces.take();
    for (const name of ['subscription One event', 'subscription Two event']) {
      const event = spans.find((span) => span.name === name);
      const below = spans.filter((span) => span.parentSpanContext?.spanId === event?.spanContext().spanId);
      expect(below.map((span) => span.name)).toEqual(['PricesService.of']);
    }
    await other.close();
  });

  it('has no trace for an event that it filters', async () => {
    client.start('1', 'subscription { filtered { id } }');
    await started();
    // Mercurius calls the resolver when it asks for the first event.
    await waitFor({ expected: 'a listener', look: () => orders.listeners.size > 0 });
    app.traces.take();
    orders.publish({ orderPlaced: { id: 1 }, filtered: { id: 1 } });
    orders.publish({ orderPlaced: { id: 2 }, filtered: { id: 2 } });
    expect(await client.next()).toMatchObject({ payload: { data: { filtered: { id: 2 } } } });
    await app.traces.expect(root('subscription event'));
  });

  it('covers the function that resolves an event, and shows what it throws', async () => {
    client.start('1', 'subscription { resolved { id } }');
    await app.traces.expect(root('subscription', handler('OrdersResolver.resolved')));
    // The generator runs when the server asks for the first event.
    await waitFor({ expected: 'a listener', look: () => orders.listeners.size > 0 });
    orders.publish({ orderPlaced: { id: 1 } });
    await client.next();
    await app.traces.expect(root('subscription event', { name: 'PricesService.of' }));
    orders.publish({ orderPlaced: { id: 13 } });
    await client.next();
    await app.traces.expect(failed(root('subscription event'), 'Error: bad luck'));
  });

  it('shows what stops it from starting', async () => {
    client.start('1', 'subscription { orderPlaced(kind: "closed") { id } }');
    await client.next();
    await app.traces.expect(failed(root('subscription'), 'TypeError: no key'));
  });

  it('is no parent of what clients ask for over the same socket', async () => {
    client.start('1', 'subscription { orderPlaced { id } }');
    await started();
    app.traces.take();
    client.start('2', 'query Count { count }');
    expect(await client.next()).toMatchObject({ payload: { data: { count: 10 } } });
    await app.traces.expect({
      ...root('query Count', handler('OrdersResolver.count', { name: 'PricesService.of' })),
      attributes: { 'graphql.operation.type': 'query', 'graphql.operation.name': 'Count' },
    });
  });

  it('is no part of a query with several fields over the same socket, which is one trace', async () => {
    client.start('1', 'query Both { first: count fails second: count }');
    expect(await client.next()).toMatchObject({ payload: { data: { first: 10, fails: null, second: 10 } } });
    const count = handler('OrdersResolver.count', { name: 'PricesService.of' });
    await app.traces.expect({
      ...root('query Both', count, failed(handler('OrdersResolver.fails'), 'TypeError: no'), count),
      attributes: { 'error.type': 'TypeError', 'graphql.operation.type': 'query', 'graphql.operation.name': 'Both' },
      status: 'ERROR',
    });
  });

  it('is no part of a mutation with several fields over the same socket, which is one trace', async () => {
    client.start('1', 'mutation Twice { publish again: publish }');
    expect(await client.next()).toMatchObject({ payload: { data: { publish: 1, again: 1 } } });
    await app.traces.until((spans) => spans.filter(({ kind }) => kind === SpanKind.SERVER).length >= 2);
    expect(new Set(app.traces.spans.map((span) => span.spanContext().traceId)).size).toBe(1);
  });

  it('continues the trace of a client that connects with one, if it is trusted', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const [, traceId, spanId] = traceparent.split('-');
    const caller = await Client.connect(app.port, { traceparent, tracestate: { hostile: true } });
    caller.start('1', 'query Count { count }');
    await caller.next();
    await app.traces.until((spans) => spans.some(({ name }) => name === 'query Count'));
    const query = app.traces.named('query Count');
    expect([query.spanContext().traceId, query.parentSpanContext?.spanId]).toEqual([traceId, spanId]);
    app.traces.take();
    caller.start('2', 'subscription OnOrder { orderPlaced { id } }');
    await started();
    expect(app.traces.named('subscription OnOrder').spanContext().traceId).toBe(traceId);
    app.traces.take();
    await waitFor({ expected: 'a listener', look: () => orders.listeners.size > 0 });
    orders.publish({ orderPlaced: { id: 1 } });
    await caller.next();
    await started();
    const event = app.traces.named('subscription OnOrder event');
    expect(event.spanContext().traceId).not.toBe(traceId);
    expect(event.links.map(({ context }) => context.traceId)).toEqual([traceId]);
    await caller.close();
  });

  // Mercurius does not show the extensions of an operation to the application.
  if (kind !== 'Mercurius')
    it('continues the trace that a client sends with an operation, rather than that of its connection', async () => {
      const parents = [1, 2, 3].map((id) => `00-0af7651916cd43dd8448eb211c80319${id}-b7ad6b716920333${id}-01`);
      const [ofConnection, ...ofOperations] = parents;
      const caller = await Client.connect(app.port, { traceparent: ofConnection });
      const given = [{ traceparent: ofOperations[0] }, { headers: { traceparent: ofOperations[1] } }, { hostile: [] }];
      for (const [index, extensions] of given.entries())
        caller.start(`${index}`, `query Count${index} { count }`, extensions);
      await app.traces.until((spans) => spans.filter((span) => span.kind === SpanKind.SERVER).length === 3);
      const parentOf = (index: number) => {
        const { parentSpanContext } = app.traces.named(`query Count${index}`);
        return `00-${parentSpanContext?.traceId}-${parentSpanContext?.spanId}-01`;
      };
      expect(given.map((_, index) => parentOf(index))).toEqual([...ofOperations, ofConnection]);
      app.traces.take();
      caller.start('4', 'subscription OnOrder { orderPlaced { id } }', given[0]);
      await started();
      expect(app.traces.named('subscription OnOrder').parentSpanContext?.traceId).toBe(ofOperations[0]?.split('-')[1]);
      await caller.close();
    });

  it('only has a link to a client that is not trusted', async () => {
    await client.close();
    await app.close();
    const seen: unknown[] = [];
    const trustIncoming = ({ url }: { url?: string }) => seen.push(url) < 0;
    app = await startGraphQLApp(kind, { resolvers: [OrdersResolver], graphql, tracing: { http: { trustIncoming } } });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    client = await Client.connect(app.port, { traceparent });
    client.start('1', 'query Count { count }');
    await client.next();
    await app.traces.until((spans) => spans.some(({ name }) => name === 'query Count'));
    const query = app.traces.named('query Count');
    expect(query.parentSpanContext).toBeUndefined();
    expect(query.links.map(({ context }) => context.spanId)).toEqual(['b7ad6b7169203331']);
    expect(seen).toContain('/graphql');
  });
});
