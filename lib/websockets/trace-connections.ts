import type { ModulesContainer } from '@nestjs/core';
import { defaultTextMapGetter, ROOT_CONTEXT, type Attributes } from '@opentelemetry/api';
import { ATTR_CODE_FUNCTION_NAME } from '@opentelemetry/semantic-conventions';
import { cutText } from '../core/cut-text.js';
import { findGateways } from '../core/gateways.js';
import { IncomingOperation } from '../core/incoming-operation.js';
import { IncomingWork, UNMEASURED_CALL } from '../core/incoming-work.js';
import { interceptMethod, type MethodInterceptor } from '../core/intercept-method.js';
import { isObject } from '../core/is-object.js';
import { isNoSpan } from '../core/no-span.js';
import { settle } from '../core/settle.js';
import { watchWrapper } from '../core/watch-wrapper.js';
import { ATTR_DISCONNECT_REASON, ATTR_EVENT, clientAttributes, handshakeAttributes, MAX_TEXT } from './attributes.js';
import { overrideLifecycleMethod, type LifecycleOverride } from './override-lifecycle-method.js';
import { readClient, readHandshake } from './socket-client.js';
import { isIgnored, placeMessage, type SocketTracing } from './tracing.js';

/** The methods of a gateway that Nest calls for a connection, and the events in the names of their spans. */
const EVENTS = { handleConnection: 'connect', handleDisconnect: 'disconnect' } as const;
const METHODS = ['handleConnection', 'handleDisconnect'] as const;

/**
 * Instruments the methods of gateways that handle connections and their end: each call is a trace of its own. There is no span for the
 * time in between. Call it before Nest reads the gateways. Returns functions to call afterwards, and at the end.
 */
export function traceConnections(modules: ModulesContainer, tracing: SocketTracing): TracedConnections {
  const overrides: (LifecycleOverride | undefined)[] = [];
  const undos: ((() => void) | undefined)[] = [];
  for (const { instance, isStatic, metatype, wrapper } of findGateways(modules)) {
    if (isNoSpan(metatype)) continue;
    if (!isStatic) undos.push(watchWrapper(wrapper, (created) => traceScoped(created, metatype.name, tracing)));
    else if (instance) {
      for (const method of METHODS)
        overrides.push(
          overrideLifecycleMethod(instance, method, traceCalls(method, `${metatype.name}.${method}`, tracing)),
        );
    }
  }
  return {
    undoBound() {
      for (const override of overrides) if (override?.isBound) override.undo();
    },
    undo() {
      for (const override of overrides.splice(0)) override?.undo();
      for (const undo of undos.splice(0)) undo?.();
    },
  };
}

export interface TracedConnections {
  /** Undoes what Nest has read for good. */
  undoBound(): void;
  undo(): void;
}

/** Instruments the gateway that Nest has created for one client. Nest looks its methods up at each call, and stores the gateway nowhere. */
function traceScoped(gateway: unknown, className: string, tracing: SocketTracing): void {
  if (!isObject(gateway)) return;
  for (const method of METHODS) interceptMethod(gateway, method, traceCalls(method, `${className}.${method}`, tracing));
}

function traceCalls(name: keyof typeof EVENTS, functionName: string, tracing: SocketTracing): MethodInterceptor {
  return (method, thisArg, args) => {
    if (isNoSpan(method)) return Reflect.apply(method, thisArg, args);
    return settle(() => startWork(EVENTS[name], functionName, args, tracing), method, thisArg, args);
  };
}

function startWork(
  event: 'connect' | 'disconnect',
  functionName: string,
  [client, second]: readonly unknown[],
  tracing: SocketTracing,
): IncomingWork {
  const message = { event, data: undefined, client };
  if (isIgnored(message, tracing)) return new IncomingWork(IncomingOperation.ignore(ROOT_CONTEXT, undefined));
  const read = readClient(client);
  // ws passes on the upgrade request when a client connects, and Nest the reason when it is disconnected.
  const handshake = event === 'connect' ? readHandshake(client, second) : undefined;
  const attributes: Attributes = {
    ...clientAttributes(read),
    [ATTR_EVENT]: event,
    [ATTR_CODE_FUNCTION_NAME]: functionName,
    ...(handshake && handshakeAttributes(handshake)),
    ...(event === 'disconnect' && reasonAttributes(second)),
  };
  const placement = placeMessage(message, handshake?.headers, defaultTextMapGetter, tracing);
  const name = tracing.namespaces.spanName(read.namespace, event);
  return new IncomingWork(IncomingOperation.start(name, UNMEASURED_CALL, { attributes, meter: undefined, placement }));
}

function reasonAttributes(reason: unknown): Attributes | undefined {
  if (typeof reason !== 'string' && typeof reason !== 'number') return undefined;
  return { [ATTR_DISCONNECT_REASON]: cutText(String(reason), MAX_TEXT) };
}
