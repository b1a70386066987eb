import {
  context,
  INVALID_SPAN_CONTEXT,
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
import { callIn } from './context-manager.js';
import { guarded, reportIgnored } from './diagnostics.js';
import { errorMessage, errorType, exceptionAttributes } from './exception.js';
import { OperationContext } from './operation-context.js';
import { restartSpan } from './span-time.js';
import { suppressTracing } from './suppression.js';
import { isOff, keepsNoChildren, startSpan } from './tracer.js';
import { withholdDetails } from './withheld.js';

/** Stands for spans that are not made. */
export const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Exceptions an operation remembers, so that one that passes through is not recorded again. */
const REMEMBERED_EXCEPTIONS = 16;

interface RecordedException {
  readonly thrown: unknown;
  /** Whether it was recorded on this operation's span, rather than further in. */
  readonly here: boolean;
}

/** A span made by hand. */
export interface ManualSpanOptions {
  /** @default SpanKind.INTERNAL */
  kind?: SpanKind;
  /** What the span has from its start, so that a sampler sees it. */
  attributes?: Attributes;
  links?: Link[];
  /** Begins a trace of its own. @default false */
  root?: boolean;
  /** @default now */
  startTime?: TimeInput;
  /** Such as `extract()` returns. @default the active context */
  parent?: Context;
}

export interface OperationOptions extends ManualSpanOptions {
  /** The function that it is made for, which then needs no span of its own. */
  forFunction?: string;
}

/**
 * One unit of work under observation: it owns a span, runs code in its context, and ends once.
 *
 * HTTP requests, handlers and `@Span()` methods all become operations, so what holds for one holds for all.
 *
 * An operation that is over is released: a context may live on for as long as the process, in a timer or a pooled socket that was made in
 * it, and leads to the operation. So an operation keeps its parent only while both are open.
 */
export class Operation {
  private isOver = false;
  private exceptions: RecordedException[] | undefined;

  private constructor(
    readonly span: Span,
    readonly context: Context,
    private parent: Operation | undefined,
    private readonly forFunction: string | undefined,
    private readonly endsSpan: boolean,
  ) {}

  /** Starts a span in the active context, or in the one given. */
  static start(name: string, options: OperationOptions = {}): Operation {
    const parent = options.parent ?? context.active();
    return Operation.over(startSpan(name, options, parent), parent, options.forFunction);
  }

  /**
   * The span that stands for all that would be started here with these options, where that comes to nothing: where tracing is
   * off, or where the trace is not kept and the sampler never keeps a part of such a trace. Nothing needs to be made then.
   */
  static silenceIn(
    active: Context,
    { kind = SpanKind.INTERNAL, root = false }: Pick<ManualSpanOptions, 'kind' | 'root'>,
  ): Span | undefined {
    if (isOff()) return NO_SPAN;
    // Calls that leave the process keep ids of their own, by which they can be told apart.
    if (root || kind !== SpanKind.INTERNAL) return undefined;
    const operation = Operation.in(active);
    if (!operation || operation.span !== trace.getSpan(active)) return undefined;
    return keepsNoChildren(operation.span) ? operation.span : undefined;
  }

  /** Takes part in the active operation, if that was made for a function of this name which is only now called. */
  static joinFor(functionName: string): Operation | undefined {
    const active = context.active();
    const operation = Operation.in(active);
    const made = operation?.forFunction === functionName && operation.span === trace.getSpan(active);
    return made ? Operation.join(operation.span, active) : undefined;
  }

  /** Takes part in a span that another instrumentation, or another operation, has started and will end. */
  static join(span: Span, parent: Context): Operation {
    return Operation.over(span, parent, undefined, false);
  }

  /** Work that is not to be traced, nor anything beneath it. */
  static suppressed(parent: Context = context.active()): Operation {
    return Operation.over(NO_SPAN, suppressTracing(parent));
  }

  private static over(span: Span, parent: Context, forFunction?: string, endsSpan = true): Operation {
    const outer = Operation.in(parent);
    const ancestor = outer?.isOver ? undefined : outer;
    // The context carries the operation and the operation its context, so one of them is filled in late.
    const operation = new Operation(span, parent, ancestor, forFunction, endsSpan) as { context: Context } & Operation;
    operation.context = OperationContext.ofOperation(parent, span, operation);
    return operation;
  }

  /** The operation a context belongs to. */
  static in(from: Context): Operation | undefined {
    return OperationContext.operationIn(from) as Operation | undefined;
  }

  /** True where the span keeps what it is told. */
  get recording(): boolean {
    try {
      return this.span.isRecording();
    } catch {
      // The span of a tracer provider that is not ours.
      return false;
    }
  }

  /** Calls `fn` with this operation as the active one. */
  run<T>(fn: () => T): T {
    return callIn(this.context, fn, undefined, []) as T;
  }

  /** Lets the span begin now: the work was only prepared so far. */
  restart(): void {
    if (this.recording) guarded('Restarting a span', () => restartSpan(this.span));
  }

  /**
   * Marks the span as failed and records the exception. One that an operation further in has recorded is only passing
   * through: it leaves its type and nothing else, since details may have been withheld there.
   */
  fail(thrown: unknown, details = true): void {
    this.recordException(thrown, details);
    if (!this.recording) return;
    guarded('Marking a span as failed', () => {
      this.span.setAttribute(ATTR_ERROR_TYPE, errorType(thrown));
      const message = this.recorded(thrown)?.here ? errorMessage(thrown) : undefined;
      this.span.setStatus({ code: SpanStatusCode.ERROR, ...(message !== undefined && { message }) });
    });
  }

  /** Adds an `exception` event, unless this exception has been recorded here or further in. */
  recordException(thrown: unknown, details = true): void {
    // It may come by again, further out, or as the cause of another error.
    if (!details) this.withhold(thrown);
    if (!this.recording || this.recorded(thrown)) return;
    guarded('Recording an exception', () => {
      this.span.addEvent('exception', exceptionAttributes(thrown));
    });
    this.remember({ thrown, here: true });
    guarded('Recording an exception', () => this.rememberFurtherOut(thrown));
  }

  private withhold(thrown: unknown): void {
    withholdDetails(thrown);
    const incoming = OperationContext.incomingIn(this.context) as { withholdDetails(): void } | undefined;
    incoming?.withholdDetails();
  }

  /** Has an exception that turns into another one, further out, count as recorded when that one passes. */
  rememberException(thrown: unknown): void {
    if (this.recording && !this.recorded(thrown)) this.remember({ thrown, here: true });
  }

  // Only within the trace: in another one, that of the caller say, the exception would be seen nowhere.
  private rememberFurtherOut(thrown: unknown): void {
    const { traceId } = this.span.spanContext();
    for (let outer = this.parent; outer?.span.spanContext().traceId === traceId; outer = outer.parent) {
      outer.remember({ thrown, here: false });
    }
  }

  private recorded(thrown: unknown): RecordedException | undefined {
    return this.exceptions?.find((it) => Object.is(it.thrown, thrown));
  }

  private remember(exception: RecordedException): void {
    if (this.isOver) return;
    this.exceptions ??= [];
    if (this.exceptions.push(exception) > REMEMBERED_EXCEPTIONS) this.exceptions.shift();
  }

  /** Sets attributes that are dear to work out, if they are kept; what `attributes` throws is reported, not thrown. */
  describe(what: string, attributes: () => Attributes | undefined): void {
    if (!this.recording) return;
    guarded(what, () => {
      const described = attributes();
      if (described) this.span.setAttributes(described);
      return described;
    });
  }

  /** Ends the span; later calls do nothing. */
  end(time?: TimeInput): void {
    if (this.isOver) return;
    this.letGo();
    if (!this.endsSpan) return;
    try {
      this.span.end(time);
    } catch (error) {
      // A span processor of the application.
      reportIgnored('Ending a span', error);
    }
  }

  /** Leaves the span open for ever, so that it is never exported. */
  discard(): void {
    this.letGo();
  }

  private letGo(): void {
    this.isOver = true;
    this.parent = undefined;
    this.exceptions = undefined;
  }
}
