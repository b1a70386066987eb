import { channel } from 'node:diagnostics_channel';
import { ApplicationRegistry } from '../core/application-registry.js';
import type { LogLine } from '../core/log-line.js';

/** An application that exports log records. */
export interface LogExport {
  emit(line: LogLine): void;
}

const NAME = 'nestjs-tracing:log-applications';

/** All copies of the library share a diagnostics channel, which therefore holds the list of applications. */
const holder = channel(NAME);

/** The applications that export log records. The newest one exports the lines of loggers that belong to no application. */
export const applications = new ApplicationRegistry<LogExport>(NAME, () => holder);
