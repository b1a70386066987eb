import { channel } from 'node:diagnostics_channel';
import { ApplicationRegistry } from '../core/application-registry.js';
import type { DataLibraryName } from '../options/data.js';
import type { OpenQueries } from './open-queries.js';
import type { QuerySettings } from './query-settings.js';

/** The settings of an application, by library. A library that the application does not trace is missing. */
export type ApplicationSettings = Readonly<Partial<Record<DataLibraryName, QuerySettings>>>;

/** An application that traces databases. */
export interface DataApplication {
  /** Undefined once the application has shut down. Objects of the application may live on. */
  settings: ApplicationSettings | undefined;
  readonly open: OpenQueries;
}

const NAME = 'nestjs-tracing:data-applications';

/** All copies of the library share a diagnostics channel, which therefore holds the list of applications. */
const holder = channel(NAME);

/** The applications that trace databases. The settings of the newest one apply to a query that belongs to none of them. */
export const applications = new ApplicationRegistry<DataApplication>(NAME, () => holder);
