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
import { callSafely } from './core/diagnostics.js';
import { rememberCaller } from './core/remote-caller.js';
import { MAX_NESTING, nesting, warnOfNesting } from './core/nesting.js';
import { noopSpan } from './core/noop-span.js';
import { Operation, type ManualSpanOptions } from './core/operation.js';
import { settle } from './core/settle.js';
import { startSpan } from './core/tracer.js';
import { TracedWork } from './core/work.js';
import type { AnyMethod } from './core/wrap-method.js';
import { TRACING_RUNTIME, type TracingRuntime } from './tracing.runtime.js';
import type { ReadableSpan } from './options/sdk-types.js';

/** Manual tracing. No method throws because of tracing. If tracing is disabled, `span()` only calls its function, and other methods are no-ops. */
@Injectable()
export class TracingService {
  /** @internal */
  constructor(@Inject(TRACING_RUNTIME) private readonly runtime: TracingRuntime) {}

  /** The active span, if any. */
  get activeSpan(): Span | undefined {
    return trace.getActiveSpan();
  }

  /** The id of the active trace, as 32 hexadecimal digits, if any: for log lines and error pages. */
  get traceId(): string | undefined {
    const spanContext = trace.getActiveSpan()?.spanContext();
    return spanContext && trace.isSpanContextValid(spanContext) ? spanContext.traceId : undefined;
  }

  /**
   * Runs `fn` in a new span, a child of the active one, and returns the result of `fn`. As with `@Span()`, the span ends when a
   * promise settles, an Observable completes or a generator ends. An exception of `fn` is recorded and rethrown.
   */
  span<T>(name: string, fn: (span: Span) => T, options: ManualSpanOptions = {}): T {
    const silence = Operation.unrecordedSpanFor(options.parent ?? context.active(), options);
    if (silence) return options.parent ? context.with(options.parent, () => fn(silence)) : fn(silence);
    if (nesting.depth >= MAX_NESTING) {
      warnOfNesting();
      return fn(trace.getActiveSpan() ?? noopSpan());
    }
    const start = () => new TracedWork(Operation.start(name, options));
    return settle(start, fn as AnyMethod, undefined, (work) => [work?.operation.span ?? noopSpan()]) as T;
  }

  /** Starts a span, which the caller must end. It does not become active. */
  startSpan(name: string, options: ManualSpanOptions = {}): Span {
    return startSpan(name, options, options.parent ?? context.active());
  }

  /** Sets attributes on the active span. */
  setAttributes(attributes: Attributes): void {
    trace.getActiveSpan()?.setAttributes(attributes);
  }

  /** Adds an event to the active span, with the current time. */
  addEvent(name: string, attributes?: Attributes): void {
    trace.getActiveSpan()?.addEvent(name, attributes);
  }

  /**
   * Records an exception that the application handles, as an event of the active span, and leaves the status of the span unchanged.
   * An exception that a traced method throws is recorded without this call.
   */
  recordException(error: unknown): void {
    const span = trace.getActiveSpan();
    if (!span) return;
    const operation = Operation.in(context.active());
    (operation?.span === span ? operation : Operation.join(span, context.active())).recordException(error);
  }

  /** Writes the active trace context into a carrier, such as the headers of a message. Returns the carrier. */
  inject<Carrier extends object>(carrier: Carrier): Carrier {
    callSafely('inject()', () => propagation.inject(context.active(), carrier, defaultTextMapSetter));
    return carrier;
  }

  /** Returns the trace context in a carrier: it can be used as `parent`, or with `context.with()`. */
  extract(carrier: object): Context {
    const active = context.active();
    const extract = () => rememberCaller(propagation.extract(active, carrier, defaultTextMapGetter));
    return callSafely('extract()', extract) ?? active;
  }

  /** Exports the spans that have ended so far, within `shutdown.timeout`. Never rejects. */
  flush(): Promise<void> {
    return this.runtime.flush();
  }

  /** Returns the spans that the `memory` exporter holds, oldest first. Empty with another exporter. */
  finishedSpans(): readonly ReadableSpan[] {
    return this.runtime.finishedSpans();
  }
}
