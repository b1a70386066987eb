import { SpanKind, trace, type Attributes, type Context } from '@opentelemetry/api';
import type { DatabaseTarget } from './database-query.js';
import { ATTR_POOL_NAME } from './metrics.js';
import type { QuerySettings } from './query-settings.js';
import { startQuery } from './start-query.js';

/** The duration of the last wait of each caller, until a query of the caller records it. */
const lastWaits = new WeakMap<Context, number>();

/** Returns the time in seconds that a caller has just waited for a connection, once. Undefined if there was no wait. */
export function takeWaitTime(caller: Context): number | undefined {
  const seconds = lastWaits.get(caller);
  if (seconds !== undefined) lastWaits.delete(caller);
  return seconds;
}

/** The wait of a caller for a connection of a pool. It has no span: a span would seem to be the parent of everything on the connection. */
export class ConnectionWait {
  readonly #startedAt = performance.now();

  constructor(
    private readonly target: DatabaseTarget,
    private readonly settings: QuerySettings,
    private readonly caller: Context,
  ) {}

  /** Measures the wait, whose end is now. The next query of the caller records it. */
  end(): void {
    const seconds = (performance.now() - this.#startedAt) / 1000;
    lastWaits.set(this.caller, seconds);
    this.settings.waitTime?.record(seconds, poolAttributes(this.target), trace.getSpan(this.caller));
  }

  /** Ends the wait without a connection. The failure gets a span: no query follows that could have one. */
  fail(error: unknown): void {
    const { caller, settings, target } = this;
    const query = { ...target, spanName: `connect ${databaseName(target)}` };
    startQuery(
      query,
      { ...settings, meter: undefined },
      { caller, startTime: this.#startedAt, kind: SpanKind.CLIENT },
    ).fail(error);
  }
}

/** The name of a pool, by the semantic conventions for pools that have no name of their own. */
function poolAttributes({ address, namespace, port }: DatabaseTarget): Attributes {
  const server = port === undefined ? address : `${address}:${port}`;
  return { [ATTR_POOL_NAME]: namespace ? `${server}/${namespace}` : (server ?? '') };
}

function databaseName({ address, namespace, port, system }: DatabaseTarget): string {
  if (namespace) return namespace;
  if (address === undefined) return system.name;
  return port === undefined ? address : `${address}:${port}`;
}
