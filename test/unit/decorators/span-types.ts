/**
 * Code that the compiler has to accept or to reject: `npm run types` checks this file. An expected error that does not occur is
 * an error itself. span-types.spec.ts checks the messages of the errors.
 */
import { SpanKind, type Link, type Span as OtelSpan } from '@opentelemetry/api';
import { Baggage, CurrentSpan, NoSpan, Span, SpanAttribute, Traceable, type SpanOptions } from 'nestjs-tracing';
import { of, type Observable } from 'rxjs';

interface Order {
  id: string;
  total: number;
}
declare const order: Order;
declare const links: Link[];

export class Accepted {
  @Span()
  nothing(): void {}

  @Span('name')
  named(_id: string, _count: number): string {
    return '';
  }

  @Span({ name: 'name', kind: SpanKind.CLIENT, attributes: { fixed: true }, links, root: true, record: false })
  everythingFixed(_id: string): void {}

  @Span((id: string, count: number) => ({ id, count }))
  same(_id: string, _count: number): void {}

  @Span((id: string) => ({ id }))
  fewer(_id: string, _count: number): void {}

  @Span(() => ({ fixed: 1 }))
  none(_id: string): void {}

  @Span((id: unknown, count: number | undefined) => ({ id: String(id), count }))
  wider(_id: string, _count: number): void {}

  @Span((id?: string) => ({ id }))
  optional(_id?: string): void {}

  @Span((id?: string, limit?: number) => ({ id, limit }))
  moreButOptional(_id: string): void {}

  @Span((...ids: string[]) => ({ ids }))
  rest(..._ids: string[]): void {}

  @Span((first: string | undefined) => ({ first }))
  firstOfRest(..._ids: string[]): void {}

  @Span((...args: unknown[]) => ({ count: args.length }))
  anyRest(_id: string, _count: number): void {}

  @Span((id?: string) => ({ id }))
  withDefault(_id = 'none', _count = 0): void {}

  @Span('name', (id: string) => ({ id }))
  nameAndFunction(_id: string): void {}

  @Span('name', { attributes: (id: string) => ({ id }), links: (id: string) => (id ? links : undefined) })
  nameAndOptions(_id: string): void {}

  @Span((item: { id: string }) => ({ id: item.id }))
  generic<T extends Order>(item: T): T {
    return item;
  }

  @Span({ onResult: (result: Order) => ({ total: result.total }) })
  sync(): Order {
    return order;
  }

  @Span({ onResult: (result: Order) => ({ total: result.total }) })
  async promise(): Promise<Order> {
    return order;
  }

  @Span({ onResult: (result: Order | undefined) => ({ total: result?.total }) })
  async maybe(): Promise<Order | undefined> {
    return order;
  }

  @Span({ onResult: (result: Order) => ({ total: result.total }) })
  mixed(): Order | Promise<Order> {
    return order;
  }

  @Span({ onResult: (result: { id: string }) => ({ id: result.id }) })
  observable(): Observable<Order> {
    return of(order);
  }

  @Span({ onResult: (result: Order) => ({ total: result.total }) })
  async observableInPromise(): Promise<Observable<Order>> {
    return of(order);
  }

  @Span({ onResult: (result: string) => ({ result }) })
  *generator(): Generator<number, string> {
    yield 1;
    return '';
  }

  @Span({ onResult: (result: string) => ({ result }) })
  async *asyncGenerator(): AsyncGenerator<number, string> {
    yield 1;
    return '';
  }

  @Span({ onResult: (result: Order) => ({ total: result.total }) })
  // oxlint-disable-next-line typescript/no-explicit-any
  anything(): any {
    return order;
  }

  @Span({ onResult: (result: unknown) => ({ result: String(result) }) })
  unknown(): Promise<void> {
    return Promise.resolve();
  }

  @Span({ onResult: (result: unknown) => ({ result: String(result) }), attributes: (id: string) => ({ id }) })
  both(_id: string): Observable<number> {
    return of(1);
  }

  @Span((id: string) => ({ id }))
  private hidden(_id: string): void {}

  @Span((id: string) => ({ id }))
  protected shielded(_id: string): void {
    this.hidden('');
  }

  @Span((id: string) => ({ id }))
  static ofTheClass(_id: string): void {}

  @Span((id: string) => ({ id }))
  [Symbol.toPrimitive](_id: string): void {}

  @Span()
  @NoSpan()
  parameters(
    @SpanAttribute('order.id') _id: string,
    @SpanAttribute('order.total', (value: Order) => value.total) _order: Order,
    @CurrentSpan() _span?: OtelSpan,
    @Baggage('tenant') _tenant?: string,
    @Baggage() _all?: Record<string, string>,
  ): void {}

  overloaded(id: string): string;
  overloaded(id: number): string;
  @Span({ attributes: (id: string | number) => ({ id }), onResult: (result: string) => ({ result }) })
  overloaded(id: string | number): string {
    return String(id);
  }
}

@Traceable({ kind: SpanKind.PRODUCER, record: false, attributes: { 'service.part': 'orders' } })
@NoSpan()
export class AcceptedClass {}

export const reusable: SpanOptions<[id: string], Order> = {
  attributes: (id) => ({ id }),
  onResult: ({ total }) => ({ total }),
};

export class Refused {
  // @ts-expect-error the first parameter is a string
  @Span((id: number) => ({ id }))
  otherType(_id: string): void {}

  // @ts-expect-error there is no second parameter
  @Span((id: string, count: number) => ({ id, count }))
  more(_id: string): void {}

  // @ts-expect-error the parameter may be undefined
  @Span((id: string) => ({ id }))
  optional(_id?: string): void {}

  // @ts-expect-error the default is applied further in
  @Span((id: string) => ({ id }))
  withDefault(_id = 'none'): void {}

  // @ts-expect-error the rest parameters are strings
  @Span((...ids: number[]) => ({ ids }))
  rest(..._ids: string[]): void {}

  // @ts-expect-error the first parameter is a string
  @Span('name', (id: number) => ({ id }))
  nameAndFunction(_id: string): void {}

  // @ts-expect-error the first parameter is a string
  @Span({ links: (id: number) => (id ? links : []) })
  linksOfOther(_id: string): void {}

  // @ts-expect-error it returns a number
  @Span({ onResult: (result: string) => ({ result }) })
  result(): number {
    return 1;
  }

  // @ts-expect-error the result is the value of the promise
  @Span({ onResult: (result: Promise<number>) => ({ isPromise: result instanceof Promise }) })
  async promised(): Promise<number> {
    return 1;
  }

  // @ts-expect-error it may resolve to undefined
  @Span({ onResult: (result: Order) => ({ total: result.total }) })
  async maybe(): Promise<Order | undefined> {
    return undefined;
  }

  // @ts-expect-error the Observable emits numbers
  @Span({ onResult: (result: string) => ({ result }) })
  observable(): Observable<number> {
    return of(1);
  }

  // @ts-expect-error the generator returns nothing, and yields numbers
  @Span({ onResult: (result: number) => ({ result }) })
  *generator(): Generator<number, void> {
    yield 1;
  }

  // @ts-expect-error an object is not an attribute value
  @Span((item: Order) => ({ item }))
  objects(_item: Order): void {}

  // @ts-expect-error attributes cannot be computed asynchronously
  @Span(async (id: string) => ({ id }))
  asynchronous(_id: string): void {}

  // @ts-expect-error there is no such option
  @Span({ nam: 'misspelt' })
  misspelt(): void {}

  // @ts-expect-error the name is already given
  @Span('name', { name: 'again' })
  twice(): void {}

  // @ts-expect-error a property is not a method
  @Span()
  arrow = (): void => {};

  // @ts-expect-error an accessor is not a method
  @Span()
  get accessor(): string {
    return '';
  }

  // @ts-expect-error a picked value has to be an attribute value
  parameter(@SpanAttribute('order', (value: Order) => ({ ...value })) _order: Order): void {}
}

// @ts-expect-error @Span() is for methods; @Traceable() is for classes
@Span()
export class RefusedClass {}

// @ts-expect-error all methods of a class cannot have the same name
@Traceable({ name: 'everything' })
export class RefusedOptions {}
