import { context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { followPromise, isThenable } from '../../core/follow-promise.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { settle } from '../../core/settle.js';
import { GRPC, transportNameOf } from '../transports.js';
import { Arrival } from './arrival.js';
import { IncomingMessage, type ServerSettings } from './incoming-message.js';
import { isMessageServer, type MessageCallback, type MessageServer } from './message-server.js';
import { describeHandled, describeUnhandled, type Handler } from './received-message.js';
import { suppressOwnCommands } from './own-commands.js';
import { watchSettlements } from './rabbit-settlements.js';

/**
 * Instruments a transport of the application, unless it is gRPC. Call it before Nest adds handlers to the transport.
 *
 * Nest calls a handler with the data of a message and an object that describes where it came from. The callback that Nest adds to the
 * transport gets a span around it: this works for every transport, also for one of the application. Nest's own transports are also observed
 * while they receive a message, since they keep the headers of some messages to themselves, and since a message may have no handler.
 */
export function traceMessageServer(transport: unknown, settings: ServerSettings): void {
  if (!isMessageServer(transport) || transport.transportId === GRPC) return;
  interceptMethod(transport, 'addHandler', (addHandler, thisArg, [pattern, callback, isEventHandler, ...rest]) => {
    const traced = traceCallback(callback as MessageCallback, { pattern, isEventHandler: isEventHandler === true });
    return Reflect.apply(addHandler, thisArg, [pattern, traced, isEventHandler, ...rest]);
  });
  if (transportNameOf(transport.transportId) !== undefined) observeArrivals(transport, settings);

  /** Nest sets properties on the callback, and reads them: the proxy passes them on. */
  function traceCallback(callback: MessageCallback, handler: Handler): MessageCallback {
    return new Proxy(callback, {
      apply(target, thisArg, args) {
        if (isPartOfActiveMessage(args)) return Reflect.apply(target, thisArg, args);
        let message: IncomingMessage | undefined;
        // A second subscription to the result belongs to the same message.
        const start = () => (message ??= startMessage(args, handler));
        return settle(start, target, thisArg, args);
      },
    });
  }

  function startMessage(args: readonly unknown[], handler: Handler): IncomingMessage {
    const arrival = Arrival.active();
    if (arrival) arrival.isHandled = true;
    const received = describeHandled(transport as MessageServer, handler, args, arrival);
    return new IncomingMessage(received, settings, arrival?.outer ?? context.active());
  }
}

/** True for the second handler of an event and those after it: Nest calls each from the one before. */
function isPartOfActiveMessage(args: readonly unknown[]): boolean {
  const active = IncomingMessage.active();
  return active !== undefined && isObject(args.at(-1)) && args.at(-1) === active.rpcContext;
}

function observeArrivals(server: MessageServer, settings: ServerSettings): void {
  interceptMethod(server, 'handleMessage', (handleMessage, thisArg, args) => {
    const arrival = new Arrival(args);
    watchSettlements(server, args);
    const result = callInContext(arrival.context, handleMessage, thisArg, args);
    if (!isObject(result) || !isThenable(result)) return result;
    return (
      followPromise(
        result,
        { context: undefined },
        {
          onFulfilled(value) {
            if (arrival.isUnmatched) reportUnhandled(arrival);
            arrival.release();
            return value;
          },
          onRejected(thrown) {
            reportUnhandled(arrival, { thrown });
            arrival.release();
          },
        },
      ) ?? result
    );
  });
  interceptMethod(server, 'getHandlerByPattern', (getHandler, thisArg, args) => {
    const handler: unknown = Reflect.apply(getHandler, thisArg, args);
    const arrival = Arrival.active();
    if (arrival) arrival.isUnmatched = !handler;
    return handler;
  });
  if (server.deserializer) observePackets(server.deserializer);
  suppressOwnCommands(server);

  function reportUnhandled(arrival: Arrival, failure?: { readonly thrown: unknown }): void {
    if (arrival.isHandled) return;
    callSafely('Tracing a message without handler', () => {
      const message = new IncomingMessage(describeUnhandled(server, arrival), settings, arrival.outer);
      if (failure) message.fail(failure.thrown);
      else message.succeed();
    });
  }
}

/** A deserializer may serve several transports: the message that is being received is that of the active context. */
function observePackets(deserializer: object): void {
  interceptMethod(deserializer, 'deserialize', (deserialize, thisArg, args) => {
    const result: unknown = Reflect.apply(deserialize, thisArg, args);
    const arrival = Arrival.active();
    if (!arrival) return result;
    if (!isObject(result) || !isThenable(result)) {
      arrival.packet ??= result;
      return result;
    }
    const onFulfilled = (packet: unknown) => (arrival.packet ??= packet);
    return followPromise(result, { context: undefined }, { onFulfilled, onRejected: () => {} }) ?? result;
  });
}
