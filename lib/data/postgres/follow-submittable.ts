import { context, type Context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { interceptMethod } from '../../core/intercept-method.js';
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

/** A submittable may announce each of its rows. */
interface RowEmitter {
  listenerCount?(event: string): number;
}

/**
 * Ends a query with its submittable, which is a query with events, a cursor or a stream. Its events and callbacks come in the context of the
 * caller.
 */
export function followSubmittable(submittable: Submittable, query: StartedQuery, caller: Context): void {
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
      else if (name === 'handleReadyForQuery') end(() => query.succeed());
      else if (name === 'handleDataRow' && !hasRowListener(thisArg as RowEmitter))
        return Reflect.apply(handle, thisArg, args);
      return callInContext(caller, handle, thisArg, args);
    }),
  );

  function end(finish: () => void): void {
    finish();
    for (const undo of undos.splice(0)) undo?.();
  }
}

/** Rows without listeners are only collected, which needs no context. */
function hasRowListener(emitter: RowEmitter): boolean {
  return typeof emitter.listenerCount === 'function' && emitter.listenerCount('row') > 0;
}
