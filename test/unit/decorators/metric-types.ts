/** Code that the compiler has to accept or to reject: `npm run types` checks this file. */
import { Counted, Timed } from 'nestjs-tracing';

interface Order {
  channel: string;
}

export class Accepted {
  @Timed()
  @Counted()
  nothing(): void {}

  @Timed('orders.duration', {
    description: 'Orders.',
    buckets: [1],
    attributes: { channel: (order: Order) => order.channel },
  })
  async one(_order: Order): Promise<void> {}

  @Counted('orders', {
    attributes: {
      channel: (order: Order) => order.channel,
      large: (_: Order, count: number) => count > 10,
      fixed: 'yes',
    },
  })
  several(_order: Order, _count: number): void {}

  @Counted('orders.wider', { attributes: { text: (value: unknown) => String(value), none: () => undefined } })
  wider(_id: string): void {}
}

export class Refused {
  // @ts-expect-error the parameter is another one
  @Timed('a', { attributes: { channel: (order: Order) => order.channel } })
  otherParameter(_id: string): void {}

  // @ts-expect-error the method has no such parameter
  @Counted('b', { attributes: { first: (id: string) => id, second: (_: string, count: number) => count } })
  tooMany(_id: string): void {}

  // @ts-expect-error an object is not an attribute value
  @Counted('c', { attributes: { order: (order: Order) => order } })
  noValue(_order: Order): void {}

  // @ts-expect-error the shared metric has no attributes of its own
  @Timed({ attributes: { channel: 'web' } })
  withoutName(): void {}

  // @ts-expect-error a counter has no buckets
  @Counted('d', { buckets: [1] })
  buckets(): void {}
}
