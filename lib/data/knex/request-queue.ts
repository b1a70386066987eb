import type { Context } from '@opentelemetry/api';
import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';

/** The callers of the requests in one queue. */
class RequestQueue {
  readonly #callers = new WeakMap<object, Context>();
  /** The caller of the last query that was announced. Its request follows at once. */
  #last: Context | undefined;

  constructor(private readonly requests: readonly object[]) {}

  /** Called when a query is announced: what has been added to the queue before is the request of the query before. */
  onQuery(caller: Context): void {
    const last = this.#last;
    if (last) for (const request of this.requests) if (!this.#callers.has(request)) this.#callers.set(request, last);
    this.#last = caller;
  }

  callerOf(request: object): Context | undefined {
    return this.#callers.get(request) ?? this.#last;
  }
}

/** All instances of Knex share the queue of their class. */
const queues = new WeakMap<object, RequestQueue>();

/** Finds the callers of the requests of a client, until `undo()` is called. */
export interface RequestCallers {
  callerOf(request: object): Context | undefined;
  undo(): void;
}

/**
 * Finds the callers of the requests of a client for SQL Server. Knex keeps back a request whose connection is not ready yet, and sends it in the context
 * of another one. It announces each query in the context of its caller, immediately before it adds the request to the queue.
 */
export function followRequestQueue(client: object): RequestCallers {
  const requests = Reflect.get(client, 'requestQueue') as unknown;
  if (!Array.isArray(requests)) return { callerOf: () => undefined, undo() {} };
  const queue = queues.get(requests) ?? new RequestQueue(requests as object[]);
  queues.set(requests, queue);
  const undo = interceptMethod(client, 'emit', (emit, thisArg, args) => {
    if (args[0] === 'query') callSafely('Tracing a query of Knex', () => queue.onQuery(activeContext()));
    return Reflect.apply(emit, thisArg, args);
  });
  return { callerOf: (request) => queue.callerOf(request), undo: () => undo?.() };
}
