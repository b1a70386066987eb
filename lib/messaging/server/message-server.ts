/** A handler in the form in which Nest adds it to a transport. Nest sets properties on it. */
export type MessageCallback = (...args: unknown[]) => unknown;

/** The members of Nest's class `Server` that are used here. Every transport extends it, also those of the application. */
export interface MessageServer {
  readonly transportId?: unknown;
  readonly deserializer?: object;
  /** The queue of RabbitMQ. */
  readonly queue?: unknown;
  /** The consumer group of Kafka. */
  readonly groupId?: unknown;
  addHandler(pattern: unknown, callback: MessageCallback, isEventHandler?: boolean, extras?: unknown): void;
  getHandlerByPattern(pattern: string): unknown;
}

export function isMessageServer(transport: unknown): transport is MessageServer {
  if (typeof transport !== 'object' || transport === null) return false;
  const { addHandler, getHandlerByPattern } = transport as Partial<MessageServer>;
  return typeof addHandler === 'function' && typeof getHandlerByPattern === 'function';
}
