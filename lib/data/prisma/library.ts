import { context } from '@opentelemetry/api';
import { callSafely } from '../../core/diagnostics.js';
import type { AnyMethod } from '../../core/wrap-method.js';
import { callAsQuery } from '../call-as-query.js';
import type { DataLibrary } from '../library.js';
import { mysql } from '../mysql/system.js';
import { isPgTracedElsewhere } from '../postgres/other-instrumentation.js';
import { postgresql } from '../postgres/system.js';
import type { CurrentSettings } from '../query-settings.js';
import { POSTGRESQL } from '../sql/dialect.js';
import { sqlite, sqlServer } from '../sql/systems.js';
import { startQuery, untracedQuery, type StartedQuery } from '../start-query.js';
import type { DatabaseSystem } from '../system.js';
import { setTracingHelper, type SpanOptions } from './tracing-helper.js';

/** The span of Prisma around the call of its driver adapter, and that around the whole operation of the application. */
const QUERY = 'db_query';
const OPERATION = 'operation';

/** The comment that Prisma has in place of a statement, if the driver itself ends a transaction, as those of MariaDB and SQL Server do. */
const IMPLICIT = /^-- Implicit "(\w+)" query via underlying driver$/;

/** The error of a driver adapter, or that of Prisma. */
interface PrismaError {
  readonly cause?: { readonly originalCode?: unknown };
  readonly meta?: { readonly driverAdapterError?: { readonly cause?: { readonly originalCode?: unknown } } };
}

/** The systems by the names that Prisma has for them. */
const SYSTEMS: ReadonlyMap<unknown, DatabaseSystem> = new Map(
  Object.entries({
    postgresql,
    cockroachdb: { ...postgresql, name: 'cockroachdb' },
    mysql,
    sqlite,
    mssql: sqlServer,
  }).map(([name, system]) => [name, withCauseOf(system)]),
);

/** Prisma 7, by the helper that its clients ask for. The driver below its adapter has no span of its own. */
export const prismaLibrary: DataLibrary = {
  name: 'prisma',
  subscribe: (settings) =>
    setTracingHelper({
      isEnabled: () => settings() !== undefined,
      // Prisma's own value for a trace that is not sampled.
      getTraceParent: () => '00-10-10-00',
      getActiveContext: () => context.active(),
      dispatchEngineSpans(_spans, events, emitLogEvent) {
        for (const event of events) emitLogEvent(event);
      },
      runInChildSpan(nameOrOptions, callback) {
        const started = callSafely('Tracing a query of Prisma', () => start(nameOrOptions, settings));
        return started ? callAsQuery(callback as AnyMethod, undefined, [], started) : callback();
      },
    }),
};

function start(nameOrOptions: string | SpanOptions, settings: CurrentSettings): StartedQuery | undefined {
  const { attributes = {}, name }: SpanOptions =
    typeof nameOrOptions === 'string' ? { name: nameOrOptions } : nameOrOptions;
  const caller = context.active();
  // Prisma throws an error of its own, which repeats the message of the database and the arguments of the operation.
  if (name === OPERATION) return untracedQuery(caller);
  const current = settings();
  const system = SYSTEMS.get(attributes['db.system.name']);
  if (name !== QUERY || !current || !system) return undefined;
  const query = { system, text: textOf(attributes['db.query.text']) };
  const isTracedElsewhere = system.dialect === POSTGRESQL && isPgTracedElsewhere();
  return startQuery(query, current, { caller, isTracedElsewhere });
}

function textOf(text: unknown): string | undefined {
  if (typeof text !== 'string') return undefined;
  return IMPLICIT.exec(text)?.[1] ?? text;
}

/** Prisma's own error has the code of the database in the error of its driver adapter. */
function withCauseOf(system: DatabaseSystem): DatabaseSystem {
  return {
    ...system,
    statusCodeOf(error) {
      const { cause, meta } = error as PrismaError;
      const { originalCode } = (meta?.driverAdapterError ?? { cause }).cause ?? {};
      return typeof originalCode === 'string' ? originalCode : undefined;
    },
  };
}
