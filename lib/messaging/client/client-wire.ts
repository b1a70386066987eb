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
  afterSerialization?(serialized: object, headers: TraceHeaders, client: MessageClient): object;
  /** The method of the client that merges the headers or options of a message with those of the client, where the driver has headers apart. */
  readonly merging?: HeaderMerging;
  /** Returns the topic or queue. Undefined if it is the pattern. */
  destinationOf?(client: MessageClient, pattern: string): string | undefined;
}

/** A method of the client that returns what is handed to the driver beside a serialized packet. */
export interface HeaderMerging {
  readonly method: string;
  /** True if the client calls it in the same turn as the serializer, maybe in the context of another message. */
  readonly isAfterSerializer: boolean;
  /** Returns the result of the method with the headers. */
  merge(method: AnyMethod, client: MessageClient, ofMessage: unknown, headers: TraceHeaders): unknown;
}

const has = (client: object, ...names: readonly string[]) =>
  names.every((name) => readWithoutGetter(client, name) !== undefined);
const withMetadata = (packet: object, headers: TraceHeaders) =>
  copyWith(packet, { metadata: addHeaders((packet as Packet).metadata, headers) });

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
    merging: { method: 'mergeHeaders', isAfterSerializer: false, merge: mergeNatsHeaders },
  },
  mqtt: {
    matches: (client) => has(client, 'mergePacketOptions', 'getResponsePattern'),
    beforeSerialization: (packet, headers, client) => (isMqtt5(client) ? packet : withMetadata(packet, headers)),
    merging: { method: 'mergePacketOptions', isAfterSerializer: true, merge: mergeMqttOptions },
  },
  rabbitmq: {
    matches: (client) => has(client, 'replyQueue', 'consumeChannel'),
    afterSerialization(serialized, headers) {
      const { options } = serialized as Packet;
      return copyWith(serialized, { options: { ...options, headers: addHeaders(options?.headers, headers) } });
    },
    destinationOf: rabbitDestination,
  },
  kafka: {
    matches: (client) => has(client, 'getReplyTopicPartition', 'dispatchBatchEvent'),
    afterSerialization: (serialized, headers) =>
      copyWith(serialized, { headers: addHeaders((serialized as Packet).headers as object | undefined, headers) }),
  },
};

/** The fields of packets that carry headers, each in the form of one transport. */
interface Packet {
  readonly metadata?: object;
  readonly headers?: unknown;
  readonly options?: { readonly headers?: object };
}

interface MqttOptions {
  readonly properties?: { readonly userProperties?: object };
}

/** The headers of NATS. */
interface NatsHeaders extends Iterable<readonly [string, readonly string[]]> {
  append(key: string, value: string): void;
  delete(key: string): void;
}

/**
 * The client creates headers of the class of its driver if its options have some. So it is asked for the headers of a message without any,
 * with the trace context in its options, and the headers of the message are added to those.
 */
function mergeNatsHeaders(
  method: AnyMethod,
  client: MessageClient,
  ofMessage: unknown,
  headers: TraceHeaders,
): unknown {
  const own = (client.options as { headers?: object } | undefined)?.headers;
  const options = { ...(client.options as object | undefined), headers: { ...headers, ...own } };
  const withTrace = Object.create(client, { options: { value: options } }) as object;
  const merged = Reflect.apply(method, withTrace, [undefined]) as NatsHeaders;
  const ofApplication = [...((ofMessage ?? []) as NatsHeaders)];
  if (ofApplication.some(([key]) => key in headers)) return Reflect.apply(method, client, [ofMessage]);
  for (const [key, values] of ofApplication) {
    merged.delete(key);
    for (const value of values) merged.append(key, value);
  }
  return merged;
}

function mergeMqttOptions(
  method: AnyMethod,
  client: MessageClient,
  ofMessage: unknown,
  headers: TraceHeaders,
): unknown {
  const options = Reflect.apply(method, client, [ofMessage]) as MqttOptions | undefined;
  if (!isMqtt5(client)) return options;
  const { properties } = options ?? {};
  return { ...options, properties: { ...properties, userProperties: addHeaders(properties?.userProperties, headers) } };
}

function isMqtt5({ options }: MessageClient): boolean {
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

/** Returns headers with a trace context. If the application has set one by itself, it is left alone. */
function addHeaders(own: object | undefined, headers: TraceHeaders): object | undefined {
  return own && Object.keys(headers).some((name) => name in own) ? own : { ...headers, ...own };
}

/** Returns a copy of the same class with other fields. */
function copyWith(original: object, fields: object): object {
  return Object.assign(Object.create(Object.getPrototypeOf(original) as object | null) as object, original, fields);
}
