import { isObject } from '../../core/is-object.js';
import { readWithoutGetter } from '../../core/readable.js';
import type { TransportName } from '../transports.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import type { MessageClient } from './message-client.js';

/** The trace context of a message, as text by the names of the headers. */
export type TraceHeaders = Readonly<Record<string, string>>;

/** Where a client of Nest carries headers. The objects of the application are never changed: copies carry the headers. */
export interface ClientWire {
  /** True for a client of this transport. */
  matches(client: MessageClient): boolean;
  /** Returns the packet that is serialized instead of another. */
  beforeSerialization?(packet: object, headers: TraceHeaders, client: MessageClient): object;
  /** Returns what is sent instead of a serialized packet. */
  afterSerialization?(serialized: object, headers: TraceHeaders): object;
  /** The method that gets or returns headers apart from a packet, where the driver has headers. */
  readonly merging?: HeaderMerging;
  /** Returns the topic or queue. Undefined if it is the pattern. */
  destinationOf?(client: MessageClient, pattern: string): string | undefined;
}

/** A method that is called for each message, beside the serializer. */
export interface HeaderMerging {
  readonly method: string;
  /** Returns the object whose method it is. @default the client */
  ownerOf?(client: MessageClient): unknown;
  /** True if the client calls it in the same turn as the serializer, maybe in the context of another message. */
  readonly isAfterSerializer?: boolean;
  /** Returns the result of a method without side effects, with the headers. */
  merge?(method: AnyMethod, owner: object, argument: unknown, headers: TraceHeaders): unknown;
  /** Returns the argument that the method is called with instead of another. */
  prepare?(argument: unknown, headers: TraceHeaders): unknown;
}

const has = (client: object, ...names: readonly string[]) =>
  names.every((name) => readWithoutGetter(client, name) !== undefined);

export const clientWires: Readonly<Record<TransportName, ClientWire>> = {
  tcp: {
    matches: (client) => has(client, 'socketClass', 'createSocket'),
    afterSerialization: withMetadata,
  },
  redis: {
    matches: (client) => has(client, 'getReplyPattern', 'subscriptionsCount'),
    afterSerialization: withMetadata,
  },
  nats: {
    matches: (client) => has(client, 'createSubscriptionHandler', 'statusEventEmitter'),
    merging: { method: 'mergeHeaders', merge: mergeNatsHeaders },
  },
  mqtt: {
    matches: (client) => has(client, 'mergePacketOptions', 'getResponsePattern'),
    beforeSerialization: (packet, headers, client) => (isMqtt5(client) ? packet : withMetadata(packet, headers)),
    merging: { method: 'mergePacketOptions', isAfterSerializer: true, merge: mergeMqttOptions },
  },
  rabbitmq: {
    matches: (client) => has(client, 'replyQueue', 'consumeChannel'),
    merging: { method: 'mergeHeaders', merge: mergeRabbitHeaders },
    destinationOf: rabbitDestination,
  },
  kafka: {
    matches: (client) => has(client, 'getReplyTopicPartition', 'dispatchBatchEvent'),
    merging: {
      method: 'send',
      ownerOf: (client) => Reflect.get(client, '_producer') as unknown,
      prepare: withKafkaHeaders,
    },
  },
};

interface MqttOptions {
  readonly properties?: { readonly userProperties?: object };
}

/** The headers of NATS. */
interface NatsHeaders extends Iterable<readonly [string, readonly string[]]> {
  append(key: string, value: string): void;
  delete(key: string): void;
}

/** Only a plain object is copied: an object of a class may have private fields, or `toJSON()`. */
function withMetadata(packet: object, headers: TraceHeaders): object {
  if (!isPlainObject(packet)) return packet;
  return { ...packet, metadata: addHeaders((packet as { metadata?: unknown }).metadata, headers) };
}

/**
 * The client creates headers of the class of its driver if its options have some. So it is asked for the headers of a message without any,
 * with the trace context in its options, and the headers of the message are added to those.
 */
function mergeNatsHeaders(method: AnyMethod, client: object, ofMessage: unknown, headers: TraceHeaders): unknown {
  const { options } = client as { options?: { headers?: object } };
  const ofApplication = [...((ofMessage ?? []) as NatsHeaders)];
  const names = [...Object.keys(options?.headers ?? {}), ...ofApplication.map(([name]) => name)];
  if (names.some((name) => name in headers)) return Reflect.apply(method, client, [ofMessage]);
  const withTrace = { ...options, headers: { ...headers, ...options?.headers } };
  const merged = Reflect.apply(method, Object.create(client, { options: { value: withTrace } }), [undefined]);
  for (const [key, values] of ofApplication) {
    (merged as NatsHeaders).delete(key);
    for (const value of values) (merged as NatsHeaders).append(key, value);
  }
  return merged;
}

function mergeRabbitHeaders(method: AnyMethod, client: object, ofMessage: unknown, headers: TraceHeaders): unknown {
  return addHeaders(Reflect.apply(method, client, [ofMessage]), headers);
}

function mergeMqttOptions(method: AnyMethod, client: object, ofMessage: unknown, headers: TraceHeaders): unknown {
  const options = Reflect.apply(method, client, [ofMessage]) as MqttOptions | undefined;
  if (!isMqtt5(client)) return options;
  const { properties } = options ?? {};
  return { ...options, properties: { ...properties, userProperties: addHeaders(properties?.userProperties, headers) } };
}

/** The producer of Kafka gets copies of the messages: Nest hands it objects of the application. */
function withKafkaHeaders(record: unknown, headers: TraceHeaders): unknown {
  const { messages } = record as { readonly messages: readonly object[] };
  return { ...(record as object), messages: messages.map((message) => kafkaMessageWith(message, headers)) };
}

function kafkaMessageWith(message: object, headers: TraceHeaders): object {
  const merged = addHeaders((message as { headers?: unknown }).headers, headers);
  if (isPlainObject(message)) return { ...message, headers: merged };
  // A message of a class keeps its getters.
  return new Proxy(message, {
    get: (target, key) => (key === 'headers' ? merged : (Reflect.get(target, key) as unknown)),
  });
}

function isMqtt5(client: object): boolean {
  const { options } = client as { options?: unknown };
  return isObject(options) && (options as { protocolVersion?: unknown }).protocolVersion === 5;
}

/** By the convention for RabbitMQ: the exchange and the routing key, or the queue where the default exchange delivers to it. */
function rabbitDestination(client: MessageClient, pattern: string): string | undefined {
  const { exchange, exchangeType, wildcards } = (client.options ?? {}) as Record<string, unknown>;
  const { queue } = client as { queue?: unknown };
  const target = exchange ?? queue;
  if (typeof target !== 'string') return undefined;
  return wildcards || exchangeType === 'fanout' ? `${target}:${pattern}` : String(queue);
}

/** Returns headers with a trace context. If the application has set one by itself, or has no record of headers, they are left alone. */
function addHeaders(own: unknown, headers: TraceHeaders): unknown {
  if (own === undefined || own === null) return { ...headers };
  if (!isPlainObject(own) || Object.keys(headers).some((name) => name in own)) return own;
  return { ...headers, ...own };
}

function isPlainObject(value: unknown): value is object {
  if (!isObject(value)) return false;
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
