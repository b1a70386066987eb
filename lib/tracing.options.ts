import type { BaggageOptions } from './options/baggage.js';
import type { BatchOptions } from './options/batch.js';
import type { ExporterOption } from './options/exporter.js';
import type { GrpcOptions } from './options/grpc.js';
import type { HttpOptions } from './options/http.js';
import type { SpanLimitOptions } from './options/limits.js';
import type { MetricsOptions } from './options/metrics.js';
import type { PropagatorOption } from './options/propagators.js';
import type { ResourceOptions } from './options/resource.js';
import type { SamplerOption } from './options/sampler.js';
import type { ShutdownOptions } from './options/shutdown.js';

/**
 * Everything `TracingModule.forRoot()` accepts. Nothing is required.
 *
 * Where an option is left out, the standard `OTEL_*` variable named beside it counts, then the default. An option that cannot be
 * right stops the start; a variable that cannot be used is warned of and ignored.
 */
export interface TracingOptions extends ResourceOptions {
  /**
   * Whether to trace at all. When false, nothing is registered and no part of the SDK is loaded.
   * @default the opposite of `OTEL_SDK_DISABLED`, else true
   */
  enabled?: boolean;

  /**
   * Where finished spans go: one exporter or several.
   * @default `OTEL_TRACES_EXPORTER`, else `otlp`
   */
  exporter?: ExporterOption | readonly ExporterOption[];

  /** How spans wait for export. Exporters named `console` and `memory` do not wait. */
  batch?: BatchOptions;

  /**
   * Which traces are kept.
   * @default `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, else `parentbased_always_on`
   */
  sampler?: SamplerOption;

  /**
   * In which headers the trace context travels. All are read, in this order, a later one winning; all are written. One that
   * is absent or malformed takes nothing away from the others.
   * @default `OTEL_PROPAGATORS`, else `['tracecontext', 'baggage']`
   */
  propagators?: PropagatorOption | readonly PropagatorOption[];

  /** What of the baggage spans show, and what of it leaves. */
  baggage?: BaggageOptions;

  /** How much a span may hold. */
  limits?: SpanLimitOptions;

  /** HTTP requests: those that come in, and under `client` those that go out. */
  http?: HttpOptions;

  /** gRPC calls on both sides. False leaves gRPC alone. */
  grpc?: GrpcOptions | false;

  /**
   * What requests and calls are measured by. Every one counts, sampled or not; sampled ones leave an exemplar, which leads
   * from the metric to the trace.
   * @default false: nothing is measured
   */
  metrics?: MetricsOptions | false;

  /** What happens at the end of the application. */
  shutdown?: ShutdownOptions;
}
