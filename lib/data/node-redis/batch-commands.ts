import { callSafely } from '../../core/diagnostics.js';
import { combineUndos, interceptMethod } from '../../core/intercept-method.js';
import { withoutFramesOfRejection } from '../hide-frames.js';

/** The members of a client that are used here. */
interface BatchClient {
  /** The client itself: an application has an object that inherits from it, and so do variants with other options. */
  readonly _self?: BatchClient;
  readonly isOpen?: boolean;
}

/** A command of a transaction or a pipeline. */
interface BatchedCommand {
  readonly args: readonly unknown[];
}

/** The methods that send the commands of a transaction, or of a pipeline. Both announce it before they return. */
const METHODS = ['_executeMulti', '_executePipeline'] as const;

const NONE: readonly string[] = [];

/** The names of the commands of the transaction or pipeline that a client is about to announce. */
let names = NONE;

/** Returns the names of the commands of the transaction or pipeline that is announced now. Empty if they are not known. */
export function announcedNames(): readonly string[] {
  return names;
}

/**
 * Knows the commands of the transactions and pipelines of a client, since its channel tells only their number. Returns a function that undoes it;
 * undefined if that is known already.
 */
export function instrumentBatches(given: object): (() => void) | undefined {
  const client: BatchClient = (given as BatchClient)['_self'] ?? given;
  return combineUndos(
    METHODS.map((method) =>
      interceptMethod(client, method, (execute, thisArg, args) => {
        names = callSafely('Reading a transaction of redis', () => namesOf(args[0])) ?? NONE;
        try {
          const result: unknown = Reflect.apply(execute, thisArg, args);
          return client.isOpen === false ? withoutFramesOfRejection(result) : result;
        } finally {
          names = NONE;
        }
      }),
    ),
  );
}

function namesOf(commands: unknown): readonly string[] {
  return Array.isArray(commands) ? (commands as BatchedCommand[]).map(({ args }) => String(args[0])) : NONE;
}
