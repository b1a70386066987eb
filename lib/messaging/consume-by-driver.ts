import { callSafely } from '../core/diagnostics.js';
import { callBehindOthers } from '../core/instrumented-methods.js';
import { interceptMethod } from '../core/intercept-method.js';
import type { TransportName } from './transports.js';
import { suppressWaitingMessages } from './waiting-messages.js';

/** A method of a server or a client in which it gives the driver its callback for messages. */
interface Consumption {
  readonly method: string;
  /** Returns the object of the driver that gets the callback. */
  driverOf(owner: object, args: readonly unknown[]): unknown;
  /** The method of that object. */
  readonly consume: string;
  /** Instruments what else the driver has by then. Returns a function that undoes it. */
  instrument?(owner: object): (() => void) | undefined;
}

/** Where the transports consume for whose drivers OpenTelemetry has instrumentations that observe consumers. */
const CONSUMPTIONS: Readonly<Record<'server' | 'client', Readonly<Partial<Record<TransportName, Consumption>>>>> = {
  server: {
    rabbitmq: {
      method: 'setupChannel',
      driverOf: (_server, [channel]) => channel,
      consume: 'consume',
      instrument: suppressWaitingMessages,
    },
    kafka: { method: 'bindEvents', driverOf: (_server, [consumer]) => consumer, consume: 'run' },
  },
  client: {
    rabbitmq: {
      method: 'consumeChannel',
      driverOf: (_client, [channel]) => channel,
      consume: 'consume',
      instrument: suppressWaitingMessages,
    },
    kafka: { method: 'bindTopics', driverOf: (client) => Reflect.get(client, '_consumer') as unknown, consume: 'run' },
  },
};

/**
 * Keeps the messages that a server or a client of Nest consumes from other instrumentations of its driver. Their span of a message would
 * stand beside that of the library, be over before an asynchronous handler has run, and be a trace of its own for every answer.
 *
 * @returns a function that undoes it; undefined if there is nothing to do
 */
export function consumeByDriver(
  owner: object,
  side: 'server' | 'client',
  transport: TransportName | undefined,
): (() => void) | undefined {
  const consumption = transport && CONSUMPTIONS[side][transport];
  if (!consumption) return undefined;
  const { consume, driverOf, instrument, method } = consumption;
  let undoInstrumentation: (() => void) | undefined;
  const undo = interceptMethod(owner, method, (setUp, thisArg, args) => {
    // It is instrumented once. A client that connects again may have another object, and the one before is closed.
    undoInstrumentation =
      (instrument && callSafely('Instrumenting a driver', () => instrument(owner))) ?? undoInstrumentation;
    return callBehindOthers(driverOf(owner, args), consume, () => Reflect.apply(setUp, thisArg, args));
  });
  return () => {
    undo?.();
    undoInstrumentation?.();
  };
}
