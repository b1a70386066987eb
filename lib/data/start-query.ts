import {
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type SpanKind,
  type TimeInput,
} from '@opentelemetry/api';
import { callSafely, evaluatePredicate } from '../core/diagnostics.js';
import type { Exchange } from '../core/exchange-operation.js';
import type { Operation } from '../core/operation.js';
import { OutgoingOperation } from '../core/outgoing-operation.js';
import { isTracingSuppressed } from '../core/suppression.js';
import { isSubtreeUnsampled, isTracingOff } from '../core/tracer.js';
import {
  queryAttributes,
  querySpanAttributes,
  querySpanName,
  statementOf,
  type DatabaseQuery,
} from './database-query.js';
import { failureAttributes, withholdDriverError } from './failure.js';
import { coverQueries, isQueryCovered, uncoverQueries } from './layers.js';
import type { QuerySettings } from './query-settings.js';
import type { ScannedStatement } from './sql/scan-statement.js';

const NO_ATTRIBUTES: Attributes = {};

/** The outcome of a query. */
type QueryOutcome = 'complete' | { readonly error: unknown };

/** A query that has started. Exactly one of its outcomes counts, the first. */
export interface StartedQuery {
  /** The context in which the library has to work on the query, so that the query of an inner layer gets no span of its own. */
  readonly context: Context;
  /** Sets attributes that are known only from the result, such as the number of rows. */
  describe(attributes: () => Attributes): void;
  succeed(): void;
  /** Ends the query with an error of the driver. */
  fail(error: unknown): void;
}

export interface QueryOptions {
  /** The context in which the application has made the query. */
  readonly caller: Context;
  /** @default SpanKind.CLIENT */
  readonly kind?: SpanKind;
  /** @default now */
  readonly startTime?: TimeInput;
  /** True if another instrumentation has a span for the query. @default false */
  readonly isTracedElsewhere?: boolean;
  /** The layer of an ORM, whose hooks may make further queries of the same layer. Each of them has a span. */
  readonly layer?: string;
}

/** Starts a query, command or operation. Depending on settings and context, it is traced, only measured, or neither. */
export function startQuery(query: DatabaseQuery, settings: QuerySettings, options: QueryOptions): StartedQuery {
  const { caller, isTracedElsewhere = false } = options;
  if (isTracingSuppressed(caller) || isQueryCovered(caller, options.layer)) return new UntracedQuery(caller);
  const { meter } = settings;
  const isTraced = !isTracedElsewhere && isRecordedIn(caller, settings);
  const isMeasured = meter !== undefined && !(isTracedElsewhere && meter.isShared);
  if ((!isTraced && !isMeasured) || isIgnored(query, settings)) return new UntracedQuery(caller);
  return new TracedQuery(query, settings, options, isTraced);
}

/** Returns a query whose span another layer has. The details of its error are withheld all the same. */
export function untracedQuery(caller: Context): StartedQuery {
  return new UntracedQuery(caller);
}

/** A query that is neither traced nor measured. Its error passes through the spans around it all the same. */
class UntracedQuery implements StartedQuery {
  constructor(readonly context: Context) {}

  describe(): void {}

  succeed(): void {}

  fail(error: unknown): void {
    withhold(error, this.context);
  }
}

/** A query from its start to its end, with a span, a measurement, or both. */
class TracedQuery implements StartedQuery {
  readonly #outgoing: OutgoingOperation<QueryOutcome>;

  constructor(query: DatabaseQuery, settings: QuerySettings, options: QueryOptions, isTraced: boolean) {
    const { caller, kind, startTime } = options;
    const { meter } = settings;
    const statement = callSafely('Reading a statement', () => statementOf(query));
    const exchange = new QueryExchange(query, statement);
    if (isTraced) {
      this.#outgoing = OutgoingOperation.start(querySpanName(query, statement), exchange, {
        attributes: callSafely('Describing a query', () => querySpanAttributes(query, statement, settings)),
        meter,
        parent: caller,
        startTime,
        ...(kind !== undefined && { kind }),
      });
      // A provider may return the span of the caller.
      if (this.#outgoing.span !== trace.getSpan(caller)) coverQueries(this.#outgoing.span, options.layer);
    } else {
      this.#outgoing = OutgoingOperation.measureOnly(exchange, meter, caller);
    }
    // Only the end of a query is measured by attributes.
    if (meter) this.#outgoing.measure(() => NO_ATTRIBUTES);
  }

  get context(): Context {
    return this.#outgoing.context;
  }

  describe(attributes: () => Attributes): void {
    this.#outgoing.describe('Describing a query', attributes);
  }

  succeed(): void {
    this.#end('complete');
  }

  fail(error: unknown): void {
    withhold(error, this.context);
    this.#end({ error });
  }

  #end(outcome: QueryOutcome): void {
    this.#outgoing.end(outcome);
    uncoverQueries(this.#outgoing.span);
  }
}

class QueryExchange implements Exchange<QueryOutcome> {
  constructor(
    private readonly query: DatabaseQuery,
    private readonly statement: ScannedStatement | undefined,
  ) {}

  describeEnd({ span }: Operation, outcome: QueryOutcome): void {
    if (outcome === 'complete') return;
    span.setAttributes(failureAttributes(outcome.error, this.query.system));
    span.setStatus({ code: SpanStatusCode.ERROR });
  }

  measuredAttributes(outcome: QueryOutcome): Attributes {
    const attributes = queryAttributes(this.query, this.statement);
    if (outcome === 'complete') return attributes;
    return Object.assign(attributes, failureAttributes(outcome.error, this.query.system));
  }
}

function withhold(error: unknown, caller: Context): void {
  callSafely('Withholding the details of an error', () => withholdDriverError(error, caller));
}

/** True if a span in this context may record. Below a span that is not sampled, none does: no service is called that needs its id. */
function isRecordedIn(caller: Context, { rootSpans }: QuerySettings): boolean {
  if (isTracingOff()) return false;
  const parent = trace.getSpan(caller);
  if (!parent || !trace.isSpanContextValid(parent.spanContext())) return rootSpans;
  return !isSubtreeUnsampled(parent);
}

function isIgnored(query: DatabaseQuery, { ignore }: QuerySettings): boolean {
  if (!ignore) return false;
  const { collection, namespace, operation, system, text } = query;
  const described = { system: system.name, text, operation, collection, namespace };
  return evaluatePredicate('data.ignore', () => ignore(described)) === true;
}
