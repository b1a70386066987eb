import { Inject, Injectable } from '@nestjs/common';
import {
  context,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { guarded } from './core/diagnostics.js';
import { rememberCaller } from './core/remote-caller.js';
import { MAX_NESTING, nesting, warnOfNesting } from './core/nesting.js';
import { NO_SPAN, Operation, type ManualSpanOptions } from './core/operation.js';
import { settle } from './core/settle.js';
import { startSpan } from './core/tracer.js';
import { TracedWork } from './core/work.js';
import type { AnyMethod } from './core/wrap-method.js';
import { TRACING_RUNTIME, type TracingRuntime } from './tracing.runtime.js';
import type { ReadableSpan } from './options/sdk-types.js';

/** Tracing by hand. Nothing here throws because of tracing, and everything works, to no effect, where nothing is traced. */
@Injectable()
export class TracingService {
  constructor(@Inject(TRACING_RUNTIME) private readonly runtime: TracingRuntime) {}

  /** The span that is active here, if any. */
  get activeSpan(): Span | undefined {
    return trace.getActiveSpan();
  }

  /** The id of the trace that is active here, as 32 hexadecimal digits, if any: for log lines and error pages. */
  get traceId(): string | undefined {
    const spanContext = trace.getActiveSpan()?.spanContext();
    return spanContext && trace.isSpanContextValid(spanContext) ? spanContext.traceId : undefined;
  }

  /**
   * Runs `fn` in a new span, a child of the active one, and returns what `fn` returns. The span ends when that is over, as
   * with `@Span()`: a promise, an Observable or a generator is waited for. What `fn` throws is recorded and thrown on.
   */
  span<T>(name: string, fn: (span: Span) => T, options: ManualSpanOptions = {}): T {
    const silence = Operation.silenceIn(options.parent ?? context.active(), options);
    if (silence) return options.parent ? context.with(options.parent, () => fn(silence)) : fn(silence);
    if (nesting.depth >= MAX_NESTING) {
      warnOfNesting();
      return fn(trace.getActiveSpan() ?? NO_SPAN);
    }
    const start = () => new TracedWork(Operation.start(name, options));
    return settle(start, fn as AnyMethod, undefined, (work) => [work?.operation.span ?? NO_SPAN]) as T;
  }

  /** Starts a span that you end yourself, and that is not made active. */
  startSpan(name: string, options: ManualSpanOptions = {}): Span {
    return startSpan(name, options, options.parent ?? context.active());
  }

  /** Sets attributes on the active span. */
  setAttributes(attributes: Attributes): void {
    trace.getActiveSpan()?.setAttributes(attributes);
  }

  /** Adds an event to the active span: something that happened at this moment. */
  addEvent(name: string, attributes?: Attributes): void {
    trace.getActiveSpan()?.addEvent(name, attributes);
  }

  /**
   * Records an exception that was handled, as an event of the active span. The span's status stays as it is.
   * An exception that leaves a traced method is recorded without this.
   */
  recordException(error: unknown): void {
    const span = trace.getActiveSpan();
    if (!span) return;
    const operation = Operation.in(context.active());
    (operation?.span === span ? operation : Operation.join(span, context.active())).recordException(error);
  }

  /** Writes the active trace context into a carrier, such as the headers of a message, and returns it. */
  inject<Carrier extends object>(carrier: Carrier): Carrier {
    guarded('inject()', () => propagation.inject(context.active(), carrier, defaultTextMapSetter));
    return carrier;
  }

  /** The trace context that came in a carrier: pass it as `parent`, or to `context.with()`. */
  extract(carrier: object): Context {
    const active = context.active();
    const extract = () => rememberCaller(propagation.extract(active, carrier, defaultTextMapGetter));
    return guarded('extract()', extract) ?? active;
  }

  /** Exports what has ended so far, waiting at most for `shutdown.timeout`. Never rejects. */
  flush(): Promise<void> {
    return this.runtime.flush();
  }

  /** The spans that the `memory` exporter holds, oldest first; none with another exporter. */
  finishedSpans(): readonly ReadableSpan[] {
    return this.runtime.finishedSpans();
  }
}
