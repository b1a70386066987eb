import type { LogLine } from './core/log-line.js';
import type { ReadableSpan } from './options/sdk-types.js';

/** The injection token of the runtime. A string rather than a symbol, so that two copies of the library share it. */
export const TRACING_RUNTIME = 'nestjs-tracing:runtime';

/** The share of a `TracingModule` in the tracer provider of the process. */
export interface TracingRuntime {
  /** False if tracing is disabled: nothing is to be instrumented. */
  readonly enabled: boolean;
  /** True if another module of the same application has started tracing, so that everything is instrumented already. */
  readonly repeated: boolean;
  /** True if another SDK has registered the provider. */
  readonly foreignProvider: boolean;
  /** Keeps the provider open, from when the application is up: an application whose start fails must not keep it open. */
  acquire(): void;
  /**
   * Undoes `acquire()`, because the application is not up after all. The next application that starts shuts the provider
   * down then.
   */
  release(): void;
  /** Exports the spans that have ended so far, within `shutdown.timeout`. Never rejects. */
  flush(): Promise<void>;
  /**
   * Exports the spans that have ended, and shuts the provider down if it is the library's own and no other module uses it.
   * Idempotent. Never rejects.
   */
  shutdown(): Promise<void>;
  /** Exports what a logger has written as a log record, if the options say so. */
  emitLog(line: LogLine): void;
  /** Returns the spans that the `memory` exporter holds. */
  finishedSpans(): readonly ReadableSpan[];
  /** Returns the statistics of each exporter to a backend. Empty if another SDK has registered the provider. */
  exportStatistics(): readonly ExportStatistics[];
}

/** The runtime of an application that has tracing disabled. */
export const DISABLED_RUNTIME: TracingRuntime = {
  enabled: false,
  repeated: false,
  foreignProvider: false,
  finishedSpans: () => [],
  exportStatistics: () => [],
  emitLog() {},
  acquire() {},
  release() {},
  flush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

/** The numbers of spans on their way to one backend. All but `queued` and `capacity` are totals since the start. */
export interface ExportStatistics {
  readonly processor: Component;
  readonly exporter: Component;
  /** Spans that were handed to the exporter. */
  readonly taken: number;
  /** Spans that the backend has accepted. */
  readonly exported: number;
  /** Spans whose export failed, by the kind of failure. */
  readonly failed: ReadonlyMap<string, number>;
  /** Spans dropped because the queue was full. */
  readonly dropped: number;
  /** Spans in the queue now. */
  readonly queued: number;
  /** The number of spans that the queue takes. */
  readonly capacity: number;
}

/** A component of the SDK in OpenTelemetry's conventions, such as the one with the name `otlp_http_span_exporter/0`. */
export interface Component {
  readonly name: string;
  readonly type: string;
}
