export type { ManualSpanOptions } from './core/operation.js';
export { tracePool } from './data/trace-pool.js';
export { Baggage } from './decorators/baggage.decorator.js';
export { Counted, type CountedOptions } from './decorators/counted.decorator.js';
export { CurrentSpan } from './decorators/current-span.decorator.js';
export type {
  FittingAttributes,
  MethodMetricDecorator,
  MethodMetricOptions,
  MetricAttributes,
  MetricAttributeValue,
  NoAttributes,
} from './decorators/method-metric.js';
export { NoSpan } from './decorators/no-span.decorator.js';
export {
  Span,
  type FittingMethod,
  type Settled,
  type SpanDecorator,
  type SpanOptions,
} from './decorators/span.decorator.js';
export { SpanAttribute, type SpanAttributeValue } from './decorators/span-attribute.decorator.js';
export { Timed, type TimedOptions } from './decorators/timed.decorator.js';
export { Traceable, type TraceableOptions } from './decorators/traceable.decorator.js';
export { grpcTracingInterceptor, tracedGrpcOptions, type GrpcTracingInterceptor } from './grpc/traced-grpc-options.js';
export { MetricsEndpoint } from './metrics/metrics-endpoint.js';
export type { BaggageOptions } from './options/baggage.js';
export type { BatchOptions } from './options/batch.js';
export type { DataLibraryName, DataOptions, OutgoingQuery, QueryPattern, QueryRecording } from './options/data.js';
export type { EventsOptions } from './options/events.js';
export type { ExporterName, ExporterOption } from './options/exporter.js';
export { LogExportTransport, type LogExportTransportOptions } from './logs/log-export-transport.js';
export { traceLogFields, type TraceLogFields } from './logs/trace-log-fields.js';
export { traceLogMeta } from './logs/trace-log-meta.js';
export type { LogsOptions } from './options/logs.js';
export type { MessagePatternOption, MessagingOptions, TransportedMessage } from './options/messaging.js';
export type { GraphQLOptions } from './options/graphql.js';
export type { GrpcCall, GrpcMethodPattern, GrpcOptions } from './options/grpc.js';
export type { HostPattern } from './options/host-pattern.js';
export type { HttpOptions, HttpRequest, HttpResponse } from './options/http.js';
export type { HttpClientOptions, OutgoingRequest } from './options/http-client.js';
export type { BullOptions, JobsOptions } from './options/jobs.js';
export type { JaegerAgentOptions, JaegerCollectorOptions, JaegerExporterOptions } from './options/jaeger.js';
export type { SpanLimitOptions } from './options/limits.js';
export type {
  ApplicationMetricsOptions,
  MeterMetricsOptions,
  MetricsOptions,
  PortMetricsOptions,
  PrometheusMetricsOptions,
  PrometheusRegistry,
  PrometheusRegistryOptions,
  UnservedMetricsOptions,
} from './options/metrics.js';
export type { LifecycleOptions, LifecycleStage, NestOptions } from './options/nest.js';
export type { OtlpExporterOptions } from './options/otlp.js';
export type { OtlpCompression, OtlpProtocol } from './options/otlp-signal.js';
export type { LogExportOptions } from './options/log-export.js';
export type { ResponseOptions } from './options/response.js';
export type { PathPattern } from './options/path-pattern.js';
export type { PropagatorName, PropagatorOption } from './options/propagators.js';
export type {
  JaegerRemoteSamplerOptions,
  KeepOptions,
  RatioSamplerOptions,
  RemoteSamplerName,
  SamplerName,
  SamplerOption,
} from './options/sampler.js';
export type { ReadableSpan, Sampler, SpanExporter } from './options/sdk-types.js';
export type { ShutdownOptions } from './options/shutdown.js';
export type { BooleanOption, NumberOption } from './options/text-types.js';
export type { SpanAttributesOption } from './options/span-attributes.js';
export type { IncomingSocketMessage, SocketEventPattern, WebSocketOptions } from './options/websockets.js';
export { TracingConfigurationError, TracingPackageError } from './tracing.errors.js';
export {
  TracingModule,
  type TracingModuleAsyncOptions,
  type TracingModuleOptions,
  type TracingOptionsFactory,
} from './tracing.module.js';
export type { TracingOptions } from './tracing.options.js';
export { TracingService } from './tracing.service.js';
