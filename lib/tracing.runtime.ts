import type { ReadableSpan } from './options/sdk-types.js';

/** The injection token of the running tracing. A text, so that two copies of the library share it. */
export const TRACING_RUNTIME = 'nestjs-tracing:runtime';

/** What a `TracingModule` holds of the provider behind it. */
export interface TracingRuntime {
  /** False where tracing is disabled: nothing is to be hooked up. */
  readonly enabled: boolean;
  /** Whether another module of the same application has set tracing up: everything is hooked up already. */
  readonly repeated: boolean;
  /** Whether the provider was there before, and is somebody else's. */
  readonly foreignProvider: boolean;
  /** Takes a share in the provider, once the application is up: one whose start fails must not keep it open. */
  retain(): void;
  /** Gives the share back, where the application is not up after all. The next one that starts closes the provider then. */
  release(): void;
  /** Exports what has ended so far, within `shutdown.timeout`. Never rejects. */
  flush(): Promise<void>;
  /** Exports and lets go of the provider, if it is ours and nobody else uses it. Never rejects; once is enough. */
  shutdown(): Promise<void>;
  /** What the `memory` exporter holds. */
  finishedSpans(): readonly ReadableSpan[];
  /** How many spans each exporter has got and lost; none where the provider is somebody else's. */
  exportStatistics(): readonly ExportStatistics[];
}

/** Spans on their way to one backend, since the start. */
export interface ExportStatistics {
  readonly processor: Component;
  readonly exporter: Component;
  /** Those that were handed to the exporter. */
  readonly taken: number;
  /** Those that have arrived. */
  readonly exported: number;
  /** Those that are lost because their export failed, by the kind of failure. */
  readonly failed: ReadonlyMap<string, number>;
  /** Those that are lost because there was no room to wait in. */
  readonly dropped: number;
  /** Those that wait now. */
  readonly queued: number;
  /** Those that may wait. */
  readonly capacity: number;
}

/** A part of the SDK, as OpenTelemetry's conventions name it: `otlp_http_span_exporter/0` is a name. */
export interface Component {
  readonly name: string;
  readonly type: string;
}
