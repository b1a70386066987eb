import { SpanKind, SpanStatusCode, trace, type Attributes, type Context, type Span } from '@opentelemetry/api';
import { callSafely, evaluatePredicate, reportIgnored } from '../core/diagnostics.js';
import { Stopwatch } from '../core/duration.js';
import type { OperationMeter } from '../core/operation-meter.js';
import { isTracingSuppressed, suppressTracing } from '../core/suppression.js';
import { isSubtreeUnsampled, isTracingOff, startSpan } from '../core/tracer.js';
import {
  queryAttributes,
  querySpanAttributes,
  querySpanName,
  statementOf,
  type DatabaseQuery,
} from './database-query.js';
import { failureAttributes, withholdDriverError } from './failure.js';
import { coverQueries, isQueryCovered, uncoverQueries } from './layers.js';
import type { OpenQueries, OpenQuery } from './open-queries.js';
import type { QuerySettings } from './query-settings.js';
import type { ScannedStatement } from './sql/scanned-statement.js';

/** A query that has started. Exactly one of its outcomes counts, the first. Its methods never throw. */
export interface StartedQuery {
  /** The context in which the library has to work on the query, so that the query of an inner layer gets no span of its own. */
  readonly context: Context;
  /** True if the query has a span of its own. */
  readonly isTraced: boolean;
  /** True if the end of the query matters: it is traced or measured. An error matters in any case. */
  readonly isObserved: boolean;
  /** Sets attributes that are known only from the result, such as the number of rows. */
  describe(attributes: () => Attributes): void;
  succeed(): void;
  /**
   * Ends the query with an error.
   *
   * @param isOfApplication true if it is not the driver's but the application's own, whose message may be shown. @default false
   */
  fail(error: unknown, isOfApplication?: boolean): void;
}

export interface QueryOptions {
  /** The context in which the application has made the query. */
  readonly caller: Context;
  /** @default SpanKind.CLIENT */
  readonly kind?: SpanKind;
  /** The reading of `performance.now()` at the start. @default now */
  readonly startedAt?: number | undefined;
  /** True if another instrumentation has a span for the query. @default false */
  readonly isTracedElsewhere?: boolean;
  /** The layer of an ORM, whose hooks may make further queries of the same layer. Each of them has a span. */
  readonly layer?: string;
}

/** How a query is observed. */
export interface Observation {
  readonly isTraced: boolean;
  readonly isMeasured: boolean;
}

/** The event of a span whose query has no result when the application shuts down. */
const PENDING_AT_SHUTDOWN = 'query pending at shutdown';

const TRACED: Observation = { isTraced: true, isMeasured: false };
const MEASURED: Observation = { isTraced: false, isMeasured: true };
const TRACED_AND_MEASURED: Observation = { isTraced: true, isMeasured: true };

/**
 * Returns how a query is observed, before anything is known of it. Undefined if it is neither traced nor measured: then it need not be
 * described, and `untracedQuery()` is enough.
 */
export function observationOf(settings: QuerySettings, options: QueryOptions): Observation | undefined {
  const { caller, isTracedElsewhere = false } = options;
  if (isTracingSuppressed(caller) || isQueryCovered(caller, options.layer)) return undefined;
  const { meter } = settings;
  const isTraced = !isTracedElsewhere && isRecordedIn(caller, settings);
  const isMeasured = meter !== undefined && !(isTracedElsewhere && meter.isShared);
  if (isTraced) return isMeasured ? TRACED_AND_MEASURED : TRACED;
  return isMeasured ? MEASURED : undefined;
}

/** Starts a query, command or operation. Depending on settings and context, it is traced, only measured, or neither. */
export function startQuery(
  query: DatabaseQuery,
  settings: QuerySettings,
  options: QueryOptions,
  observation = observationOf(settings, options),
): StartedQuery {
  if (!observation || isIgnored(query, settings)) return new UntracedQuery(options.caller);
  return new ObservedQuery(query, settings, options, observation);
}

/** Returns a query that is not observed. The details of its error are withheld all the same. */
export function untracedQuery(caller: Context): StartedQuery {
  return new UntracedQuery(caller);
}

/** A query that is neither traced nor measured. Its error passes through the spans around it all the same. */
class UntracedQuery implements StartedQuery {
  readonly isTraced = false;
  readonly isObserved = false;

  constructor(readonly context: Context) {}

  describe(): void {}

  succeed(): void {}

  fail(error: unknown, isOfApplication = false): void {
    if (!isOfApplication) withhold(error, this.context);
  }
}

/**
 * A query from its start to its end, with a span, a measurement, or both.
 *
 * There may be many in a request, and little happens within them. So the query has a span without an operation, and its context is only made
 * when it is asked for.
 */
class ObservedQuery implements StartedQuery, OpenQuery {
  readonly isObserved = true;
  /** Undefined once the query is over: sockets may hold its context for long. */
  private query: DatabaseQuery | undefined;
  private readonly statement: ScannedStatement | undefined;
  private readonly caller: Context;
  private readonly span: Span | undefined;
  private readonly meter: OperationMeter | undefined;
  private readonly stopwatch: Stopwatch | undefined;
  private open: OpenQueries;
  private contextOnce: Context | undefined = undefined;

  constructor(query: DatabaseQuery, settings: QuerySettings, options: QueryOptions, observation: Observation) {
    this.query = query;
    this.caller = options.caller;
    this.open = settings.open;
    this.statement = query.text === undefined ? undefined : callSafely('Reading a statement', () => statementOf(query));
    this.span = observation.isTraced ? this.startSpan(query, settings, options) : undefined;
    this.meter = observation.isMeasured ? settings.meter : undefined;
    this.stopwatch = this.meter && new Stopwatch(options.startedAt);
    // The other instrumentation needs the context of the caller.
    if (options.isTracedElsewhere === true) this.contextOnce = options.caller;
    if (this.span) this.open.add(this);
  }

  get isTraced(): boolean {
    return this.span !== undefined;
  }

  get context(): Context {
    return (this.contextOnce ??= this.span ? trace.setSpan(this.caller, this.span) : suppressTracing(this.caller));
  }

  describe(attributes: () => Attributes): void {
    const { span } = this;
    if (this.query && span) callSafely('Describing a query', () => void span.setAttributes(attributes()));
  }

  succeed(): void {
    this.end(undefined);
  }

  fail(error: unknown, isOfApplication = false): void {
    if (!isOfApplication) withhold(error, this.caller);
    if (this.query) this.end(failureAttributes(error, this.query.system));
  }

  abandon(): void {
    const { query, span } = this;
    if (!query || !span) return;
    this.query = undefined;
    callSafely('Ending a span', () => void span.addEvent(PENDING_AT_SHUTDOWN));
    endSpan(span, undefined);
  }

  handOver(heir: OpenQueries): void {
    this.open = heir;
    heir.add(this);
  }

  private startSpan(query: DatabaseQuery, settings: QuerySettings, options: QueryOptions): Span {
    const { caller, kind = SpanKind.CLIENT, layer, startedAt } = options;
    const { statement } = this;
    const attributes = callSafely('Describing a query', () => querySpanAttributes(query, statement, settings)) ?? {};
    const spanOptions = startedAt === undefined ? { kind, attributes } : { kind, attributes, startTime: startedAt };
    const span = startSpan(querySpanName(query, statement), spanOptions, caller);
    // A provider may return the span of the caller.
    if (span !== trace.getSpan(caller)) coverQueries(span, layer);
    return span;
  }

  private end(failure: Attributes | undefined): void {
    const { meter, query, span, statement, stopwatch } = this;
    if (!query) return;
    this.query = undefined;
    if (span) {
      this.open.delete(this);
      endSpan(span, failure);
    }
    if (!meter || !stopwatch) return;
    try {
      const attributes = queryAttributes(query, statement);
      meter.record(stopwatch, failure ? Object.assign(attributes, failure) : attributes, span);
    } catch (error) {
      reportIgnored('Measuring', error);
    }
  }
}

/** Ends the span of a query. A span processor of the application may throw, and so may the span of another provider. */
function endSpan(span: Span, failure: Attributes | undefined): void {
  try {
    if (failure) {
      span.setAttributes(failure);
      span.setStatus({ code: SpanStatusCode.ERROR });
    }
    span.end();
  } catch (error) {
    reportIgnored('Ending a span', error);
  }
  uncoverQueries(span);
}

function withhold(error: unknown, caller: Context): void {
  callSafely('Withholding the details of an error', () => withholdDriverError(error, caller));
}

/** True if a span in this context may record. Below a span that is not sampled, none does: no service is called that needs its id. */
function isRecordedIn(caller: Context, { rootSpans }: QuerySettings): boolean {
  const parent = trace.getSpan(caller);
  if (parent?.isRecording()) return true;
  if (isTracingOff()) return false;
  if (!parent) return rootSpans;
  // The ids of a span are made when they are asked for: here only if they matter.
  if (!rootSpans && isSubtreeUnsampled(parent)) return false;
  return trace.isSpanContextValid(parent.spanContext()) ? !isSubtreeUnsampled(parent) : rootSpans;
}

function isIgnored(query: DatabaseQuery, { ignore }: QuerySettings): boolean {
  if (!ignore) return false;
  const { collection, commandText, namespace, operation, system, text = commandText } = query;
  const described = { system: system.name, text, operation, collection, namespace };
  return evaluatePredicate('data.ignore', () => ignore(described)) === true;
}
