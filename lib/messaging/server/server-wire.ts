import type { Attributes } from '@opentelemetry/api';
import { definedAttributes } from '../../core/defined-attributes.js';
import { isObject } from '../../core/is-object.js';
import type { TransportName } from '../transports.js';
import type { MessageServer } from './message-server.js';

/** The arguments of a transport's `handleMessage()`: the message as the driver delivers it. */
export type WireArguments = readonly unknown[];

/** What a transport of Nest delivers, and where it carries headers. */
export interface ServerWire {
  /** Returns the headers, which may be anything. */
  headersOf(args: WireArguments, packet: unknown): unknown;
  /** True if the sender waits for an answer. */
  isRequest(args: WireArguments, packet: unknown): boolean;
  /** Returns the topic, channel, subject or queue. Undefined if it is the pattern of the handler. */
  destinationOf?(args: WireArguments, server: MessageServer): string | undefined;
  attributesOf?(args: WireArguments, server: MessageServer): Attributes;
}

const hasId = (_args: WireArguments, packet: unknown) => propertyOf(packet, 'id') !== undefined;
const metadataOf = (_args: WireArguments, packet: unknown) => propertyOf(packet, 'metadata');

export const serverWires: Readonly<Record<TransportName, ServerWire>> = {
  tcp: { headersOf: metadataOf, isRequest: hasId },
  redis: {
    headersOf: metadataOf,
    isRequest: hasId,
    destinationOf: ([channel, , , concreteChannel]) => textOf(concreteChannel) ?? textOf(channel),
  },
  nats: {
    headersOf: ([, message]) => natsHeaders(propertyOf(message, 'headers')),
    isRequest: hasId,
    destinationOf: ([, message]) => textOf(propertyOf(message, 'subject')),
  },
  mqtt: {
    headersOf: ([, , , packet], message) =>
      propertyOf(propertyOf(packet, 'properties'), 'userProperties') ?? propertyOf(message, 'metadata'),
    isRequest: hasId,
    destinationOf: ([topic]) => textOf(topic),
  },
  rabbitmq: {
    headersOf: ([message]) => propertyOf(propertyOf(message, 'properties'), 'headers'),
    isRequest: hasId,
    destinationOf: ([message], { queue }) => rabbitDestination(propertyOf(message, 'fields'), queue),
    attributesOf: ([message]) => {
      const fields = propertyOf(message, 'fields');
      return definedAttributes({
        'messaging.rabbitmq.destination.routing_key': textOf(propertyOf(fields, 'routingKey')),
        'messaging.rabbitmq.message.delivery_tag': numberOf(propertyOf(fields, 'deliveryTag')),
      });
    },
  },
  kafka: {
    headersOf: ([payload]) => propertyOf(propertyOf(payload, 'message'), 'headers'),
    isRequest: ([payload]) => {
      const headers = propertyOf(propertyOf(payload, 'message'), 'headers');
      return Boolean(propertyOf(headers, 'kafka_correlationId')) && Boolean(propertyOf(headers, 'kafka_replyTopic'));
    },
    destinationOf: ([payload]) => textOf(propertyOf(payload, 'topic')),
    attributesOf: ([payload], { groupId }) =>
      definedAttributes({
        'messaging.destination.partition.id': numberOf(propertyOf(payload, 'partition'))?.toString(),
        'messaging.kafka.offset': numberOf(Number(propertyOf(propertyOf(payload, 'message'), 'offset'))),
        'messaging.consumer.group.name': textOf(groupId),
      }),
  },
};

/** By the convention for RabbitMQ: the exchange and the routing key, or the queue where the default exchange delivers to it. */
function rabbitDestination(fields: unknown, queue: unknown): string | undefined {
  const exchange = textOf(propertyOf(fields, 'exchange'));
  const routingKey = textOf(propertyOf(fields, 'routingKey'));
  return exchange && routingKey ? `${exchange}:${routingKey}` : exchange || textOf(queue) || routingKey;
}

/** Returns the headers of NATS, which are an object with methods, as a record. */
function natsHeaders(headers: unknown): object | undefined {
  if (!isObject(headers) || !(Symbol.iterator in headers)) return undefined;
  return Object.fromEntries(headers as Iterable<[string, string[]]>);
}

function propertyOf(value: unknown, key: string): unknown {
  return isObject(value) ? (value as Record<string, unknown>)[key] : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
