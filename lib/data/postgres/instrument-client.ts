import type { Context } from '@opentelemetry/api';
import { activeContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import { isObject } from '../../core/is-object.js';
import { reportQuerySpan } from '../../core/query-span-watch.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { failAtOnce, followCallback } from '../call-as-query.js';
import { takeWaitTime } from '../connection-wait.js';
import type { DatabaseQuery, DatabaseTarget } from '../database-query.js';
import { isWrappedElsewhere } from '../../core/instrumented-methods.js';
import type { CurrentSettings, QuerySettings } from '../query-settings.js';
import { observationOf, startQuery, untracedQuery, type QueryOptions, type StartedQuery } from '../start-query.js';
import { followEagerly } from './follow-eagerly.js';
import { followSubmittable } from './follow-submittable.js';
import { isSubmittable, targetOfClient, type PgClient } from './pg.js';

/**
 * Instruments the queries of a client of pg. Callbacks and events come in the context of the caller: without that, they come in the context
 * of the request that has opened the socket.
 *
 * @returns a function that undoes it; undefined if the client is instrumented already, or allows no method
 */
export function instrumentClient(client: PgClient, settings: CurrentSettings): (() => void) | undefined {
  return interceptMethod(client, 'query', (query, thisArg, args) => {
    const current = settings();
    if (!current) return Reflect.apply(query, thisArg, args);
    reportQuerySpan();
    const caller = activeContext();
    const options = { caller, isTracedElsewhere: isWrappedElsewhere(query) };
    const started = callSafely('Tracing a query of pg', () => start(client, args, current, options));
    return started ? callQuery(query, thisArg, args, started, caller) : Reflect.apply(query, thisArg, args);
  });
}

function start(
  client: PgClient,
  args: readonly unknown[],
  settings: QuerySettings,
  options: QueryOptions,
): StartedQuery {
  const { caller } = options;
  const observation = observationOf(settings, options);
  if (!observation) return untracedQuery(caller);
  const query = describeQuery(targetOfClient(client), args, takeWaitTime(caller));
  return startQuery(query, settings, options, observation);
}

function callQuery(
  query: AnyMethod,
  thisArg: unknown,
  args: unknown[],
  started: StartedQuery,
  caller: Context,
): unknown {
  const [config] = args;
  if (isSubmittable(config)) followSubmittable(config, started, caller);
  const callback = args.findIndex((argument, index) => index > 0 && typeof argument === 'function');
  try {
    if (isSubmittable(config)) return Reflect.apply(query, thisArg, args);
    if (callback !== -1)
      return Reflect.apply(
        query,
        thisArg,
        args.with(callback, followCallback(args[callback] as AnyMethod, started, caller)),
      );
    if (hasCallback(config))
      return Reflect.apply(query, thisArg, [withCallback(config, started, caller), ...args.slice(1)]);
    return followResult(Reflect.apply(query, thisArg, args), started);
  } catch (error) {
    failAtOnce(error, started);
    throw error;
  }
}

function followResult(result: unknown, started: StartedQuery): unknown {
  const followed = followEagerly(result, {
    onFulfilled(value) {
      started.succeed();
      return value;
    },
    onRejected: (error) => started.fail(error),
  });
  if (followed === undefined) started.succeed();
  return followed ?? result;
}

function hasCallback(config: unknown): config is { readonly callback: AnyMethod } {
  return isObject(config) && typeof (config as { callback?: unknown }).callback === 'function';
}

/** Returns an object that differs from the configuration of the application only by its callback. */
function withCallback(config: { readonly callback: AnyMethod }, started: StartedQuery, caller: Context): object {
  const callback = followCallback(config.callback, started, caller);
  return Object.create(config, {
    callback: { value: callback, enumerable: true, configurable: true, writable: true },
  }) as object;
}

/** Describes the query of a call: `query(text, values)`, `query({ text, values })`, or `query(submittable)`. */
export function describeQuery(target: DatabaseTarget, args: readonly unknown[], waitTime?: number): DatabaseQuery {
  const [config, second] = args;
  const { cursor, text, values } = (isObject(config) ? config : { text: config }) as {
    cursor?: { text?: unknown; values?: unknown };
    text?: unknown;
    values?: unknown;
  };
  const statement = text ?? cursor?.text;
  const { address, namespace, port, system } = target;
  // This runs for each query: a spread of the target would take a microsecond.
  return {
    system,
    namespace,
    address,
    port,
    text: typeof statement === 'string' ? statement : undefined,
    parameters: typeof second === 'object' && second !== null ? second : (values ?? cursor?.values),
    waitTime,
  };
}
