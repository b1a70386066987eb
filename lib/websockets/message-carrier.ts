import type { TextMapGetter } from '@opentelemetry/api';
import { callSafely } from '../core/diagnostics.js';
import { isObject } from '../core/is-object.js';
import type { IncomingSocketMessage, ResolvedWebSockets } from '../options/websockets.js';

/** The key of the object that carries a trace context in the data of a message. The Model Context Protocol uses the same. */
const CARRIER_KEY = '_meta';
/** The number of arguments of an event of Socket.IO in which a carrier is looked for. */
const MAX_ARGUMENTS = 8;

/** Returns the object in which a message carries its trace context. Undefined if it carries none. */
export function messageCarrier(
  message: IncomingSocketMessage,
  carrier: ResolvedWebSockets['carrier'],
): object | undefined {
  const found: unknown = carrier
    ? callSafely('websockets.carrier', () => carrier(message))
    : callSafely('Reading a trace context', () => findCarrier(message.data));
  return isObject(found) ? found : undefined;
}

/** Finds the carrier in the data, or in one of several arguments of an event. */
function findCarrier(data: unknown): unknown {
  if (!Array.isArray(data)) return ownValue(data, CARRIER_KEY);
  for (const argument of data.slice(0, MAX_ARGUMENTS) as unknown[]) {
    const carrier = ownValue(argument, CARRIER_KEY);
    if (carrier !== undefined) return carrier;
  }
  return undefined;
}

/** Reads a carrier that a client has written: own properties that are texts, and nothing else. */
export const messageGetter: TextMapGetter<object> = {
  keys: (carrier) => Object.keys(carrier),
  get(carrier, key) {
    const value = ownValue(carrier, key);
    return typeof value === 'string' ? value : undefined;
  },
};

function ownValue(target: unknown, key: string): unknown {
  return isObject(target) && Object.hasOwn(target, key) ? (target as Record<string, unknown>)[key] : undefined;
}
