import { isObservable } from 'rxjs';
import { callInContext } from '../../core/context-manager.js';
import { callSafely, evaluatePredicate } from '../../core/diagnostics.js';
import { followPromise, isThenable } from '../../core/follow-promise.js';
import { interceptMethod, type MethodInterceptor } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import type { OperationMeter } from '../../core/operation-meter.js';
import { traceObservable } from '../../core/trace-observable.js';
import type { ResolvedMessaging } from '../../options/messaging.js';
import { consumeByDriver } from '../consume-by-driver.js';
import { patternText } from '../pattern-text.js';
import { CUSTOM, type TransportName } from '../transports.js';
import { addressAttributes } from './client-address.js';
import { clientWires } from './client-wire.js';
import { carryHeaders } from './carry-headers.js';
import type { MessageClient } from './message-client.js';
import { OutgoingMessage, type SentMessage } from './outgoing-message.js';

export interface ClientSettings extends ResolvedMessaging {
  /** Undefined if the application measures nothing. */
  readonly meterOf: (type: SentMessage['type']) => OperationMeter | undefined;
}

/**
 * Instruments a client, until the returned function is called. A request has a span for each subscription, so that each retry has one; an
 * event has one from the call of `emit()`.
 *
 * @param currentSettings returns the settings; undefined if the client is not traced any more
 */
export function traceMessageClient(
  client: MessageClient,
  currentSettings: () => ClientSettings | undefined,
): () => void {
  const transport = transportOf(client);
  const base = {
    client,
    transport: transport ?? CUSTOM,
    wire: transport && clientWires[transport],
    address: transport ? addressAttributes(client, transport) : {},
    side: 'client',
    isMatched: true,
  } as const;

  /** Returns a function that starts the span of a message. Undefined if it is not traced. */
  function prepare(
    type: SentMessage['type'],
    [pattern, data]: readonly unknown[],
    isBatch = false,
  ): (() => OutgoingMessage) | undefined {
    const settings = currentSettings();
    // Nest refuses a message without pattern or data.
    if (!settings || pattern === undefined || pattern === null || data === undefined || data === null) return undefined;
    const text = patternText(pattern, client);
    const destination = callSafely('Reading a destination', () => base.wire?.destinationOf?.(client, text));
    const message: SentMessage = {
      ...base,
      type,
      pattern: text,
      destination,
      batchSize: isBatch ? batchSizeOf(data) : undefined,
    };
    if (evaluatePredicate('messaging.ignore', () => settings.ignore(message))) return undefined;
    return () => new OutgoingMessage(message, settings.meterOf(type));
  }

  const traceRequest: MethodInterceptor = (send, thisArg, args) => {
    const answers: unknown = Reflect.apply(send, thisArg, args);
    const start = isObservable(answers) ? prepare('request', args) : undefined;
    return start && isObservable(answers)
      ? traceObservable(answers, () => callSafely('Tracing a request', start))
      : answers;
  };

  const traceEvent: (isBatch: boolean) => MethodInterceptor = (isBatch) => (emit, thisArg, args) => {
    const start = prepare('event', args, isBatch);
    const message = start && callSafely('Tracing an event', start);
    if (!message) return Reflect.apply(emit, thisArg, args);
    try {
      return followEvent(callInContext(message.context, emit, thisArg, args), message, start);
    } catch (thrown) {
      message.fail(thrown);
      throw thrown;
    }
  };

  const undos = [
    interceptMethod(client, 'send', traceRequest),
    interceptMethod(client, 'emit', traceEvent(false)),
    interceptMethod(client, 'emitBatch', traceEvent(true)),
    ...carryHeaders(client, base.wire),
    consumeByDriver(client, 'client', transport),
  ];
  return () => {
    for (const undo of undos) undo?.();
  };
}

/** Follows the result of `emit()`. Nest sends the event whether or not the caller subscribes; a client of the application may not. */
function followEvent(result: unknown, message: OutgoingMessage, start: () => OutgoingMessage): unknown {
  if (!isObject(result)) {
    message.succeed();
    return result;
  }
  if (isThenable(result)) {
    const onFulfilled = (value: unknown) => {
      message.succeed();
      return value;
    };
    return followPromise(result, message, { onFulfilled, onRejected: (thrown) => message.fail(thrown) }) ?? result;
  }
  if (!isObservable(result)) {
    message.succeed();
    return result;
  }
  if (typeof (result as { connect?: unknown }).connect === 'function') {
    result.subscribe({ error: (thrown: unknown) => message.fail(thrown), complete: () => message.complete() });
    return result;
  }
  message.outgoing.discard();
  return traceObservable(result, () => callSafely('Tracing an event', start));
}

function batchSizeOf(data: unknown): number | undefined {
  const { messages } = (isObject(data) ? data : {}) as { messages?: unknown };
  return Array.isArray(messages) ? messages.length : undefined;
}

function transportOf(client: MessageClient): TransportName | undefined {
  const names = Object.keys(clientWires) as TransportName[];
  return names.find((name) => clientWires[name].matches(client));
}
