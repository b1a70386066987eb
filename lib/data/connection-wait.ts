import { trace, type Attributes, type Context } from '@opentelemetry/api';
import type { DatabaseQuery, DatabaseTarget } from './database-query.js';
import { ATTR_POOL_NAME } from './metrics.js';
import type { QuerySettings } from './query-settings.js';
import { startQuery } from './start-query.js';

/** The last wait that no query has recorded. The queries that follow a wait at once do so before there is another one. */
let lastWait: { readonly caller: Context; readonly seconds: number } | undefined;

/** Returns the time in seconds that a caller has just waited for a connection, once. Undefined if there was no wait. */
export function takeWaitTime(caller: Context): number | undefined {
  if (lastWait?.caller !== caller) return undefined;
  const { seconds } = lastWait;
  lastWait = undefined;
  return seconds;
}

/** The wait of a caller for a connection of a pool. It has no span: a span would seem to be the parent of everything on the connection. */
export class ConnectionWait {
  readonly #startedAt = performance.now();

  constructor(
    readonly caller: Context,
    private readonly settings: QuerySettings,
  ) {}

  /** Measures the wait, whose end is now. The next query of the caller records it. */
  end(target: DatabaseTarget): void {
    lastWait = { caller: this.caller, seconds: this.measure(target) };
  }

  /** Measures the wait of a query that has started already. Returns the time in seconds. */
  measure(target: DatabaseTarget): number {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    this.settings.waitTime?.record(seconds, poolAttributes(target), trace.getSpan(this.caller));
    return seconds;
  }

  /**
   * Ends the wait without a connection. The failure has the span and the measurement: no query follows that could have them. A client that
   * connects on its own behalf, again and again say, is not measured.
   */
  fail(error: unknown, query: DatabaseQuery, isTracedElsewhere = false): void {
    const { caller, settings } = this;
    const isForCaller = query.text !== undefined || trace.getSpan(caller) !== undefined;
    const options = { caller, isTracedElsewhere, startedAt: this.#startedAt };
    startQuery(query, isForCaller ? settings : { ...settings, meter: undefined }, options).fail(error);
  }
}

/** Describes the attempt to connect to a database. */
export function describeConnect(target: DatabaseTarget): DatabaseQuery {
  return { ...target, spanName: `connect ${target.namespace || serverOf(target) || target.system.name}` };
}

/** The name of a pool, by the semantic conventions for pools that have no name of their own. */
export function poolAttributes(target: DatabaseTarget): Attributes {
  const server = serverOf(target) || target.system.name;
  return { [ATTR_POOL_NAME]: target.namespace ? `${server}/${target.namespace}` : server };
}

function serverOf({ address = '', port }: DatabaseTarget): string {
  return port === undefined ? address : `${address}:${port}`;
}
