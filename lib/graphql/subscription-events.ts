import { context, isSpanContextValid, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import { enterContext, ownsActiveContext } from '../core/context-manager.js';
import { callSafely } from '../core/diagnostics.js';
import type { IncomingOperation } from '../core/incoming-operation.js';
import type { CallOutcome } from '../core/incoming-work.js';
import { isObject } from '../core/is-object.js';
import { isResolveInfo } from './document.js';
import { operationOf, startOperation } from './root-work.js';
import type { OperationNaming } from './served-operation.js';

/** The events of subscriptions, by the operation and the context value of each. Undefined as a value if two subscriptions have both in common. */
const eventsOf = new WeakMap<object, WeakMap<object, SubscriptionEvents | undefined>>();

/** Returns the events of the subscription whose field is resolved. Undefined if they cannot be told apart from those of another. */
export function findEvents(operation: object, contextValue: unknown): SubscriptionEvents | undefined {
  return isObject(contextValue) ? eventsOf.get(operation)?.get(contextValue) : undefined;
}

/** True if the resolver of the subscription gives each event of an operation a span. */
export function areEventsTraced(operation: object): boolean {
  return eventsOf.has(operation);
}

/**
 * The events of a subscription, with a trace for each: from its arrival until the next one is asked for, which the server does when it
 * has sent the first.
 */
export class SubscriptionEvents implements AsyncIterableIterator<unknown> {
  private event: IncomingOperation<CallOutcome> | undefined;
  /** The context in which the server has asked for the event. */
  private asking: Context | undefined;
  private iterator: AsyncIterator<unknown> | undefined;
  private forget = () => {};

  /**
   * Returns the events of a source. Undefined if it is no source of events.
   *
   * @param start the operation that has started the subscription, to which each event is linked
   */
  static of(
    source: unknown,
    field: string,
    args: readonly unknown[],
    start: IncomingOperation | undefined,
    naming: OperationNaming,
  ): SubscriptionEvents | undefined {
    if (!isObject(source) || typeof (source as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] !== 'function')
      return undefined;
    // The link alone is kept, and not the operation, which is over while the subscription goes on.
    const origin = start?.span.spanContext();
    const links = origin && isSpanContextValid(origin) ? [{ context: origin }] : [];
    const placement = { parent: ROOT_CONTEXT, links };
    const startEvent = () => startOperation(operationOf(args), naming, { fallback: field, isEvent: true, placement });
    const events = new SubscriptionEvents(source as AsyncIterable<unknown>, startEvent);
    const [, , contextValue, info] = args;
    if (isResolveInfo(info) && isObject(contextValue)) events.forget = remember(info.operation, contextValue, events);
    return events;
  }

  private constructor(
    private readonly source: AsyncIterable<unknown>,
    private readonly startEvent: () => IncomingOperation<CallOutcome>,
  ) {}

  [Symbol.asyncIterator](): this {
    this.iterator ??= this.source[Symbol.asyncIterator]();
    return this;
  }

  async next(...args: [] | [unknown]): Promise<IteratorResult<unknown>> {
    this.endEvent();
    this.asking = context.active();
    const result = await this.opened.next(...args);
    if (result.done) this.forget();
    else this.event = callSafely('Tracing an event', this.startEvent);
    return result;
  }

  async return(value?: unknown): Promise<IteratorResult<unknown>> {
    this.endEvent();
    this.forget();
    return (await this.opened.return?.(value)) ?? { value: undefined, done: true };
  }

  async throw(error?: unknown): Promise<IteratorResult<unknown>> {
    this.endEvent();
    this.forget();
    const { opened } = this;
    if (opened.throw) return opened.throw(error);
    await opened.return?.();
    throw error;
  }

  /**
   * Makes the context of the current event the active one, for everything that its execution does from here on. Returns the event;
   * undefined if there is none.
   *
   * The server awaits an event and then executes the operation on it, so this belongs to a microtask that ends with it. If the context
   * is another one than that in which the server has asked for the event, it may be that of the publisher, and stays.
   */
  enterEvent(): IncomingOperation<CallOutcome> | undefined {
    const { asking, event } = this;
    if (event && ownsActiveContext() && context.active() === asking) enterContext(event.context);
    return event;
  }

  private get opened(): AsyncIterator<unknown> {
    return (this.iterator ??= this.source[Symbol.asyncIterator]());
  }

  private endEvent(): void {
    this.event?.end({ type: 'returned' });
    this.event = undefined;
  }
}

/** Returns a function that forgets the events, unless they cannot be told apart from others. */
function remember(operation: object, contextValue: object, events: SubscriptionEvents): () => void {
  let byContext = eventsOf.get(operation);
  if (!byContext) eventsOf.set(operation, (byContext = new WeakMap<object, SubscriptionEvents | undefined>()));
  const known = byContext;
  known.set(contextValue, known.has(contextValue) ? undefined : events);
  return () => {
    if (known.get(contextValue) === events) known.delete(contextValue);
  };
}
