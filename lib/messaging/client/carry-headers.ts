import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { followPromise, isThenable } from '../../core/follow-promise.js';
import { interceptMethod, type MethodInterceptor } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { outsideOfRequests } from '../../core/suppression.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import type { ClientWire, HeaderMerging } from './client-wire.js';
import type { MessageClient } from './message-client.js';
import { OutgoingMessage } from './outgoing-message.js';

type Undo = (() => void) | undefined;

/** The messages by packet. A client may serialize a packet in the context of another message, when the broker has answered. */
const messagesByPacket = new WeakMap<object, OutgoingMessage>();

/** The message that was serialized last, if its client merges its headers in the same turn. */
let justSerialized: OutgoingMessage | undefined;

/**
 * Makes a client send the trace context of each message, where its transport carries headers. The headers are added when a message has been
 * serialized, so that neither the data nor the serializer of the application sees them.
 */
export function carryHeaders(client: MessageClient, wire: ClientWire | undefined): Undo[] {
  if (!wire) return ['publish', 'dispatchEvent'].map((name) => interceptMethod(client, name, offerMetadata));
  const { merging } = wire;
  const undos: Undo[] = [
    ...['connect', 'close'].map((name) => interceptMethod(client, name, withoutTracing)),
    client.serializer && (wire.beforeSerialization ?? wire.afterSerialization)
      ? interceptSerializer(client.serializer)
      : undefined,
  ];
  /** The driver may not exist before the client is connected. */
  const observeMerging = () => {
    const owner = merging && (merging.ownerOf ? merging.ownerOf(client) : client);
    const undo = merging && isObject(owner) && interceptMethod(owner, merging.method, mergeInto(owner, merging));
    // It is observed once, and looked for with each message.
    if (undo) undos.push(undo);
  };
  if (!merging?.ownerOf) observeMerging();
  const send: MethodInterceptor = (method, thisArg, args) => {
    const message = OutgoingMessage.active();
    if (!message) return Reflect.apply(method, thisArg, args);
    if (merging?.ownerOf) callSafely('Observing a driver', observeMerging);
    if (isObject(args[0])) messagesByPacket.set(args[0], message);
    const { sendingContext } = message;
    const result = callInContext(sendingContext, method, thisArg, args);
    // The teardown of a request unsubscribes from its answer.
    if (typeof result !== 'function') return result;
    return (...rest: unknown[]) => callInContext(sendingContext, result as AnyMethod, undefined, rest);
  };
  for (const name of ['publish', 'dispatchEvent', 'dispatchBatchEvent'])
    undos.push(interceptMethod(client, name, send));
  return [() => undos.forEach((undo) => undo?.())];
}

function mergeInto(owner: object, { isAfterSerializer, merge, prepare }: HeaderMerging): MethodInterceptor {
  return (method, thisArg, args) => {
    const message = isAfterSerializer ? justSerialized : OutgoingMessage.active();
    justSerialized = undefined;
    const headers = message?.headers;
    if (!headers || isEmpty(headers)) return Reflect.apply(method, thisArg, args);
    const merged =
      merge && callSafely('Adding headers to a message', () => ({ result: merge(method, owner, args[0], headers) }));
    if (merged) return merged.result;
    const prepared = prepare && callSafely('Adding headers to a message', () => prepare(args[0], headers));
    return Reflect.apply(method, thisArg, prepared ? [prepared, ...args.slice(1)] : args);
  };
}

/**
 * A client of the application may read `packet.metadata` and send it, in the manner of Nest's own clients. The property is not enumerable: a
 * client that sends the whole packet sends what it sends without tracing.
 */
const offerMetadata: MethodInterceptor = (method, thisArg, args) => {
  const message = OutgoingMessage.active();
  if (!message) return Reflect.apply(method, thisArg, args);
  const [packet] = args;
  if (isObject(packet) && !('metadata' in packet))
    Reflect.defineProperty(packet, 'metadata', { value: message.headers, configurable: true, writable: true });
  return callInContext(message.outgoing.context, method, thisArg, args);
};

/** A connection outlives the message that it is opened for, and must not keep the context of that message. Its own commands are no spans. */
const withoutTracing: MethodInterceptor = (method, thisArg, args) =>
  callInContext(outsideOfRequests(), method, thisArg, args);

/** The serializers that are observed. The application may use one for several clients. */
const serializers = new WeakMap<object, { clients: number; readonly undo: () => void }>();

function interceptSerializer(serializer: object): Undo {
  let observed = serializers.get(serializer);
  if (!observed) {
    const undo = interceptMethod(serializer, 'serialize', serialize);
    if (!undo) return undefined;
    observed = { clients: 0, undo };
    serializers.set(serializer, observed);
  }
  const shared = observed;
  shared.clients++;
  return () => {
    if (--shared.clients > 0) return;
    serializers.delete(serializer);
    shared.undo();
  };
}

/** A serializer may serve several clients: the message that is being sent knows its own. */
const serialize: MethodInterceptor = (method, thisArg, args) => {
  const [packet, ...rest] = args;
  const message = (isObject(packet) && messagesByPacket.get(packet)) || OutgoingMessage.active();
  justSerialized = undefined;
  const headers = message?.headers;
  if (!message || !headers || isEmpty(headers)) return Reflect.apply(method, thisArg, args);
  const { client, wire } = message.message;
  const prepared =
    isObject(packet) && wire?.beforeSerialization
      ? (callSafely('Adding headers to a message', () => wire.beforeSerialization?.(packet, headers, client)) ?? packet)
      : packet;
  const result = callInContext(message.outgoing.context, method, thisArg, [prepared, ...rest]);
  if (wire?.merging?.isAfterSerializer) keepForThisTurn(message);
  const add = (serialized: unknown) =>
    isObject(serialized) && wire?.afterSerialization
      ? (callSafely('Adding headers to a message', () => wire.afterSerialization?.(serialized, headers)) ?? serialized)
      : serialized;
  if (!isObject(result) || !isThenable(result)) return add(result);
  return followPromise(result, { context: undefined }, { onFulfilled: add, onRejected: () => {} }) ?? result;
};

/** A client whose message has failed after it was serialized must not be held. */
function keepForThisTurn(message: OutgoingMessage): void {
  justSerialized = message;
  queueMicrotask(() => {
    if (justSerialized === message) justSerialized = undefined;
  });
}

function isEmpty(headers: object): boolean {
  return Object.keys(headers).length === 0;
}
