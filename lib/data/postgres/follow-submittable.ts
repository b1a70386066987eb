import { context, type Context } from '@opentelemetry/api';
import { interceptMethod } from '../../core/intercept-method.js';
import { callForCaller } from '../call-as-query.js';
import type { StartedQuery } from '../start-query.js';
import type { Submittable } from './pg.js';

/** The methods by which a client tells a submittable what the database has answered. The client calls them in the context of its socket. */
const HANDLERS = [
  'handleRowDescription',
  'handleDataRow',
  'handlePortalSuspended',
  'handleCommandComplete',
  'handleEmptyQuery',
  'handleReadyForQuery',
  'handleError',
  'handleCopyInResponse',
  'handleCopyData',
] as const;

/** The members of some submittables that tell what they are, and how they end. */
interface SubmittableMembers {
  /** A submittable may announce each of its rows. */
  listenerCount?(event: string): number;
  /** A method of a stream. */
  destroy?(): unknown;
  /** The error of a query that could not read a row. The client reports it when the database is ready. */
  readonly _canceledDueToError?: unknown;
}

/**
 * Ends a query with its submittable, which is a query with events, a cursor or a stream. Its events and callbacks come in the context of the
 * caller.
 */
export function followSubmittable(
  submittable: Submittable & SubmittableMembers,
  query: StartedQuery,
  caller: Context,
): void {
  // The callback of a cursor that is closed comes with an event of the connection.
  interceptMethod(submittable, 'close', (close, thisArg, args) =>
    Reflect.apply(
      close,
      thisArg,
      args.map((argument) => (typeof argument === 'function' ? context.bind(context.active(), argument) : argument)),
    ),
  );
  const undos = HANDLERS.map((name) =>
    interceptMethod(submittable, name, (handle, thisArg, args) => {
      if (name === 'handleError') end(() => query.fail(args[0]));
      else if (name === 'handleReadyForQuery') end(() => endWhenReady(submittable, query));
      else if (name === 'handleDataRow' && !hasRowListener(thisArg as SubmittableMembers))
        return Reflect.apply(handle, thisArg, args);
      return callForCaller(caller, handle, thisArg, args);
    }),
  );
  if (typeof submittable.destroy === 'function') bindStream(submittable, caller);

  function end(finish: () => void): void {
    finish();
    for (const undo of undos.splice(0)) undo?.();
  }
}

function endWhenReady({ _canceledDueToError: error }: SubmittableMembers, query: StartedQuery): void {
  if (error) query.fail(error);
  else query.succeed();
}

/** The events of a stream come in the context of the caller, also those that come from the socket itself, and from the end of the stream. */
function bindStream(stream: object, caller: Context): void {
  const undo = interceptMethod(stream, 'emit', (emit, thisArg, args) => {
    if (args[0] === 'close') undo?.();
    return callForCaller(caller, emit, thisArg, args);
  });
}

/** Rows without listeners are only collected, which needs no context. */
function hasRowListener(emitter: SubmittableMembers): boolean {
  return typeof emitter.listenerCount === 'function' && emitter.listenerCount('row') > 0;
}
