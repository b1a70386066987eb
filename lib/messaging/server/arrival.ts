import { context, createContextKey, ROOT_CONTEXT, type Context } from '@opentelemetry/api';
import type { WireArguments } from './server-wire.js';

const ARRIVAL = createContextKey('nestjs-tracing arrived message');

/**
 * A message that a transport has received, until a handler is called with it. Nest hands a handler neither the message as the driver has
 * delivered it nor, in Nest 11, its metadata.
 */
export class Arrival {
  /** The deserialized message. Undefined until it is known. */
  packet: unknown;
  /** True once a handler has been called, so that the span of the message exists. */
  isHandled = false;
  /** True if the transport has looked for a handler and found none. */
  isUnmatched = false;
  /** The context in which the driver has delivered the message. */
  readonly outer = context.active();

  private isOver = false;

  constructor(private wireArguments: WireArguments) {}

  /** Returns the message that is being received in the active context. */
  static active(): Arrival | undefined {
    const arrival = context.active().getValue(ARRIVAL) as Arrival | undefined;
    return arrival?.isOver === false ? arrival : undefined;
  }

  /** The arguments of the method of the transport that has received the message. */
  get args(): WireArguments {
    return this.wireArguments;
  }

  /** Releases the message, which has been received: a timer of a deserializer may hold the context for longer. */
  release(): void {
    this.isOver = true;
    this.wireArguments = [];
    this.packet = undefined;
  }

  /**
   * The context in which the transport receives the message. It is not that of the driver: a connection that was opened inside a span would
   * have every message below that span.
   */
  get context(): Context {
    return ROOT_CONTEXT.setValue(ARRIVAL, this);
  }
}
