import type { Attributes } from '@opentelemetry/api';
import type { InstrumentDescription, Instruments, Reading } from '../core/instruments.js';
import type { DatabaseTarget } from './database-query.js';
import { poolAttributes } from './connection-wait.js';
import { ATTR_POOL_NAME } from './metrics.js';

/** The connections of a pool at a moment. */
export interface PoolState {
  /** The pool itself: several objects may lead to it. */
  readonly pool: object;
  readonly target: DatabaseTarget;
  readonly idle: number;
  readonly used: number;
  /** The number of callers that wait for a connection. */
  readonly pending: number;
  /** The number of connections that the pool may have. Undefined if it is not limited, or not known. */
  readonly max: number | undefined;
}

/** Still in development, so the package does not export these names as stable. */
const ATTR_STATE = 'db.client.connection.state';

const COUNT: InstrumentDescription = {
  name: 'db.client.connection.count',
  description: 'The number of connections that are currently in a state described by the state attribute.',
  unit: '{connection}',
  attributes: [ATTR_POOL_NAME, ATTR_STATE],
};
const MAX: InstrumentDescription = {
  name: 'db.client.connection.max',
  description: 'The maximum number of open connections allowed.',
  unit: '{connection}',
  attributes: [ATTR_POOL_NAME],
};
const PENDING: InstrumentDescription = {
  name: 'db.client.connection.pending_requests',
  description: 'The number of current pending requests for an open connection.',
  unit: '{request}',
  attributes: [ATTR_POOL_NAME],
};

/**
 * Reports the connections of pools whenever metrics are collected.
 *
 * @param readPools returns the state of each pool. Pools of the same name are added up
 * @returns a function that ends it
 */
export function observePools(instruments: Instruments, readPools: () => Iterable<PoolState>): () => void {
  const observe = (description: InstrumentDescription, readingsOf: (state: PoolState) => readonly Reading[]) =>
    instruments.observeGauge(description, () => sum([...distinct(readPools())].flatMap(readingsOf)));
  const ends = [
    observe(COUNT, ({ idle, target, used }) => [
      { value: idle, attributes: { ...poolAttributes(target), [ATTR_STATE]: 'idle' } },
      { value: used, attributes: { ...poolAttributes(target), [ATTR_STATE]: 'used' } },
    ]),
    observe(MAX, ({ max, target }) => (max === undefined ? [] : [{ value: max, attributes: poolAttributes(target) }])),
    observe(PENDING, ({ pending, target }) => [{ value: pending, attributes: poolAttributes(target) }]),
  ];
  return () => {
    for (const end of ends) end();
  };
}

function distinct(states: Iterable<PoolState>): Iterable<PoolState> {
  return new Map([...states].map((state) => [state.pool, state])).values();
}

function sum(readings: readonly Reading[]): readonly Reading[] {
  const sums = new Map<string, { value: number; readonly attributes: Attributes }>();
  for (const { attributes, value } of readings) {
    const key = JSON.stringify(attributes);
    const known = sums.get(key);
    if (known) known.value += value;
    else sums.set(key, { attributes, value });
  }
  return [...sums.values()];
}
