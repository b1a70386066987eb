import {
  context,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
  type Span,
  SpanKind,
  type TimeInput,
} from '@opentelemetry/api';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { discardCandidate } from './candidate-span.js';
import { callInContext } from './context-manager.js';
import { callSafely, reportIgnored } from './diagnostics.js';
import { addException } from './exception-signal.js';
import { errorMessage, errorType, exceptionAttributes } from './exception.js';
import { noopSpan } from './noop-span.js';
import { OperationContext } from './operation-context.js';
import { restartSpan } from './span-time.js';
import { suppressTracing } from './suppression.js';
import { isTracingOff, isSubtreeUnsampled, startSpan } from './tracer.js';
import { withholdDetails } from './withheld-details.js';

/** The number of exceptions that an operation remembers, so that an exception that passes through it is not recorded again. */
const MAX_REMEMBERED_EXCEPTIONS = 16;

interface RecordedException {
  readonly thrown: unknown;
  /** True if it was recorded on the span of this operation, rather than on the span of an operation further in. */
  readonly isRecordedHere: boolean;
}

/** The members of the exchange in which an operation is served that are used here: an `IncomingOperation`. */
interface ServedExchange {
  readonly operation: Operation;
  withholdDetails(): void;
}

/** Options of a span that the application starts itself. */
export interface ManualSpanOptions {
  /** @default SpanKind.INTERNAL */
  kind?: SpanKind | undefined;
  /** Attributes that the span has from its start, so that a sampler sees them. */
  attributes?: Attributes | undefined;
  links?: Link[] | undefined;
  /** True to start a new trace. @default false */
  root?: boolean | undefined;
  /** @default now */
  startTime?: TimeInput | undefined;
  /** The context of the parent span, such as `extract()` returns. @default the active context */
  parent?: Context | undefined;
}

export interface OperationOptions extends ManualSpanOptions {
  /** The name of the function that the operation is started for. A decorated function of this name joins it, instead of starting a second span. */
  forFunction?: string;
  /** True if the exception filters of the called method run inside of the operation: what they are asked about belongs to it. */
  coversFilters?: boolean;
}

/**
 * One unit of work under observation: it owns a span, runs code in its context, and ends once.
 *
 * HTTP requests, gRPC calls, handlers and `@Span()` methods all become operations, so the rules here hold for all of them.
 *
 * An operation is itself the context in which it is active: there are several in each request, and each would have a context beside it.
 *
 * A context may live as long as the process, in a timer or a pooled socket that was created in it, and a context references its operation.
 * An operation that is over therefore releases everything, and an operation references its parent only while both are open.
 */
export class Operation extends OperationContext {
  declare readonly span: Span;
  private isOver = false;
  private exceptions: RecordedException[] | undefined;
  /** The errors whose messages no exception may repeat, if this is the operation of an exchange. */
  private withheldMessages: unknown[] | undefined;
  private parent: Operation | undefined;

  private constructor(
    span: Span,
    within: Context,
    incoming: unknown,
    private readonly forFunction: string | undefined,
    private readonly endsSpan: boolean,
    readonly coversFilters = false,
  ) {
    super(OperationContext.othersIn(within), span, undefined, incoming);
    this.operation = this;
    const outer = Operation.in(within);
    this.parent = outer?.isOver ? undefined : outer;
  }

  /**
   * Starts an operation below the active context, or below `options.parent`.
   *
   * @param incoming the incoming operation that is served in the operation; if it is left out, that of the parent
   */
  static start(name: string, options: OperationOptions = {}, incoming?: object): Operation {
    const parent = options.parent ?? context.active();
    const span = startSpan(name, options, parent);
    const served = incoming ?? OperationContext.incomingIn(parent);
    return new Operation(span, parent, served, options.forFunction, true, options.coversFilters);
  }

  /**
   * Returns the span to use in place of a new one, if a new one would never record: tracing is off, or the trace is not sampled and
   * the sampler is parent-based. No operation has to be created then. Undefined if a span has to be started.
   */
  static unrecordedSpanFor(
    active: Context,
    { kind = SpanKind.INTERNAL, root = false }: Pick<ManualSpanOptions, 'kind' | 'root'>,
  ): Span | undefined {
    if (isTracingOff()) return noopSpan();
    // Calls that leave the process get span ids of their own even if unsampled, so that the called services can tell them apart.
    if (root || kind !== SpanKind.INTERNAL) return undefined;
    const operation = Operation.in(active);
    if (!operation || operation.span !== trace.getSpan(active)) return undefined;
    return isSubtreeUnsampled(operation.span) ? operation.span : undefined;
  }

  /** Joins the active operation, if it was started for a function of this name, which is only now called. Undefined otherwise. */
  static joinFor(functionName: string): Operation | undefined {
    const active = context.active();
    const operation = Operation.in(active);
    const isStartedFor = operation?.forFunction === functionName && operation.span === trace.getSpan(active);
    return isStartedFor ? Operation.join(operation.span, active) : undefined;
  }

  /** Creates an operation around a span that another instrumentation, or another operation, has started and will end. */
  static join(span: Span, parent: Context): Operation {
    return new Operation(span, parent, OperationContext.incomingIn(parent), undefined, false);
  }

  /** Creates an operation without a span. Nothing below it is traced. */
  static suppressed(parent: Context = context.active()): Operation {
    return new Operation(noopSpan(), suppressTracing(parent), OperationContext.incomingIn(parent), undefined, true);
  }

  /** Returns the operation of a context. Undefined if it has none. */
  static in(from: Context): Operation | undefined {
    return OperationContext.operationIn(from) as Operation | undefined;
  }

  /** The context in which the operation is the active one, and its span the active span: the operation itself. */
  get context(): Context {
    return this;
  }

  /** True if the span records attributes and events. */
  get isRecording(): boolean {
    try {
      return this.span.isRecording();
    } catch {
      // Spans of another tracer provider may throw.
      return false;
    }
  }

  /** Calls `fn` with this operation as the active one. */
  run<T>(fn: () => T): T {
    return callInContext(this, fn, undefined, []) as T;
  }

  /** Moves the start of the span to now, because the work itself only starts now. */
  restart(): void {
    if (this.isRecording) callSafely('Restarting a span', () => restartSpan(this.span));
  }

  /**
   * Sets the status of the span to error, and records the exception. An exception that an operation further in has recorded only passes
   * through: of that one only the type is recorded, since its details may have been withheld there.
   *
   * @param mayRecordDetails false to withhold the message and the stack, here and wherever else the exception is recorded
   */
  fail(thrown: unknown, mayRecordDetails = true): void {
    this.recordException(thrown, mayRecordDetails);
    if (!this.isRecording) return;
    callSafely('Marking a span as failed', () => {
      this.span.setAttribute(ATTR_ERROR_TYPE, errorType(thrown));
      const message = this.findRecorded(thrown)?.isRecordedHere ? errorMessage(thrown, this.withheldErrors) : undefined;
      this.span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
    });
  }

  /** Records an exception, unless the exception has been recorded here or further in. */
  recordException(thrown: unknown, mayRecordDetails = true): void {
    // The exception may also be recorded further out, or as the cause of another error.
    if (!mayRecordDetails) this.withhold(thrown);
    if (!this.isRecording || this.findRecorded(thrown)) return;
    callSafely('Recording an exception', () => {
      addException(this.span, exceptionAttributes(thrown, this.withheldErrors));
    });
    this.remember({ thrown, isRecordedHere: true });
    callSafely('Recording an exception', () => this.rememberFurtherOut(thrown));
  }

  private withhold(thrown: unknown): void {
    withholdDetails(thrown);
    this.served?.withholdDetails();
  }

  /** Remembers an error whose message no exception may repeat that is recorded while this exchange is served. */
  withholdMessageOf(error: unknown): void {
    if (this.isOver) return;
    this.withheldMessages ??= [];
    if (this.withheldMessages.includes(error)) return;
    if (this.withheldMessages.push(error) > MAX_REMEMBERED_EXCEPTIONS) this.withheldMessages.shift();
  }

  /** The errors whose messages nothing may repeat that is recorded while this exchange is served. */
  get withheldErrors(): readonly unknown[] | undefined {
    return this.served?.operation.withheldMessages;
  }

  private get served(): ServedExchange | undefined {
    return this.incoming as ServedExchange | undefined;
  }

  /** Treats an exception as recorded, because the application has replaced a recorded exception by it. */
  rememberException(thrown: unknown): void {
    if (this.isRecording && !this.findRecorded(thrown)) this.remember({ thrown, isRecordedHere: true });
  }

  // Only operations of the same trace remember it: an outer operation in another trace, that of a caller say, has to record it itself,
  // or that trace would not show it at all.
  private rememberFurtherOut(thrown: unknown): void {
    const { traceId } = this.span.spanContext();
    for (let outer = this.parent; outer?.span.spanContext().traceId === traceId; outer = outer.parent) {
      outer.remember({ thrown, isRecordedHere: false });
    }
  }

  private findRecorded(thrown: unknown): RecordedException | undefined {
    return this.exceptions?.find((recorded) => Object.is(recorded.thrown, thrown));
  }

  private remember(exception: RecordedException): void {
    if (this.isOver) return;
    this.exceptions ??= [];
    if (this.exceptions.push(exception) > MAX_REMEMBERED_EXCEPTIONS) this.exceptions.shift();
  }

  /** Sets attributes that are expensive to compute, if the span records. An error of `attributes` is reported, not thrown. */
  describe(what: string, attributes: () => Attributes | undefined): void {
    if (!this.isRecording) return;
    callSafely(what, () => {
      const values = attributes();
      if (values) this.span.setAttributes(values);
      return values;
    });
  }

  /** Ends the span. Idempotent. */
  end(time?: TimeInput): void {
    if (this.isOver) return;
    this.release();
    if (!this.endsSpan) return;
    try {
      this.span.end(time);
    } catch (error) {
      // A span processor of the application may throw.
      reportIgnored('Ending a span', error);
    }
  }

  /** Releases the operation without ending its span, so that the span is never exported. */
  discard(): void {
    this.release();
    if (this.endsSpan) callSafely('Discarding a span', () => discardCandidate(this.span));
  }

  private release(): void {
    this.isOver = true;
    this.parent = undefined;
    this.exceptions = undefined;
    this.withheldMessages = undefined;
  }
}
