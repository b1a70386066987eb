import { context, SpanKind, trace, type Context } from '@opentelemetry/api';
import { callInContext } from '../../core/context-manager.js';
import { callSafely } from '../../core/diagnostics.js';
import { interceptMethod } from '../../core/intercept-method.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { followQuery } from '../call-as-query.js';
import { hideOwnFrames } from '../failure.js';
import { withoutFramesOfRejection } from '../hide-frames.js';
import { uncoverQueries } from '../layers.js';
import type { CurrentSettings } from '../query-settings.js';
import { startQuery, type StartedQuery } from '../start-query.js';
import { isInMemory, type Cache } from './cache.js';
import { cacheManager } from './system.js';

const METHODS = ['get', 'mget', 'set', 'mset', 'del', 'mdel', 'clear', 'wrap'] as const;

type CacheMethod = (typeof METHODS)[number];

/** The attribute has no name in the conventions, which have none for caches. */
const ATTR_HIT = 'cache.hit';

/** Instruments a cache in memory. A cache in Redis has no spans of its own: the commands of Redis have. */
export function instrumentCache(instance: object, settings: CurrentSettings): () => void {
  if (!isInMemory(instance as Cache)) return () => {};
  const undos = METHODS.map((name) =>
    interceptMethod(instance, name, (method, thisArg, args) => {
      const started = callSafely('Tracing a cache', () => start(name, settings));
      return started ? callMethod(name, method, thisArg, args, started) : Reflect.apply(method, thisArg, args);
    }),
  );
  return () => {
    for (const undo of undos) undo?.();
  };
}

function start(name: CacheMethod, settings: CurrentSettings): StartedQuery | undefined {
  const current = settings();
  if (!current) return undefined;
  const query = { system: cacheManager, operation: name, spanName: `cache ${name}` };
  return startQuery(query, current, { caller: context.active(), kind: SpanKind.INTERNAL });
}

/** Returns the context for the function of the application that computes a missing value. It has queries and requests of its own. */
function contextOfComputation({ context: within, isTraced }: StartedQuery): Context {
  if (!isTraced) return context.active();
  const span = trace.getSpan(within);
  if (span) uncoverQueries(span);
  return within;
}

function callMethod(
  name: CacheMethod,
  method: AnyMethod,
  thisArg: unknown,
  args: unknown[],
  started: StartedQuery,
): unknown {
  let isComputed = false;
  let failure: { readonly error: unknown } | undefined;
  const [key, compute, ...rest] = args;
  const isWrap = name === 'wrap' && typeof compute === 'function';
  const computing = isWrap ? contextOfComputation(started) : started.context;
  function computeInSpan(this: unknown, ...given: unknown[]): unknown {
    isComputed = true;
    try {
      const result = callInContext(computing, compute as AnyMethod, this, given);
      return withoutFramesOfRejection(result, (error) => (failure = { error }));
    } catch (error) {
      failure = { error };
      hideOwnFrames(error);
      throw error;
    }
  }
  const query = {
    context: started.context,
    succeed: () => started.succeed(),
    fail: (error: unknown) => started.fail(error, failure?.error === error),
  };
  try {
    const result = Reflect.apply(method, thisArg, isWrap ? [key, computeInSpan, ...rest] : args);
    return followQuery(result, query, (value) => {
      if (name !== 'get' && !isWrap) return;
      // Version 6 returns null for a missing value, and Nest takes it for one.
      const hit = isWrap ? !isComputed : value !== undefined && value !== null;
      started.describe(() => ({ [ATTR_HIT]: hit }));
    });
  } catch (error) {
    query.fail(error);
    throw error;
  }
}
