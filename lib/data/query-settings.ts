import type { Histogram } from '../core/instruments.js';
import type { OperationMeter } from '../core/operation-meter.js';
import type { ResolvedQueryRecording } from '../options/data.js';
import type { OpenQueries } from './open-queries.js';

/** How an application traces and measures the queries of one library. */
export interface QuerySettings extends ResolvedQueryRecording {
  /** Undefined if the application measures nothing. */
  readonly meter: OperationMeter | undefined;
  /** Measures the time that is waited for a connection. Undefined if the application measures nothing. */
  readonly waitTime: Histogram | undefined;
  /** The queries of the application that have a span and no result. */
  readonly open: OpenQueries;
}

/** Returns the settings that apply now. Undefined while no application traces the library. */
export type CurrentSettings = () => QuerySettings | undefined;
