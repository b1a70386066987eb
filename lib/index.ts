export type { ManualSpanOptions } from './core/operation.js';
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
export { TracingConfigurationError, TracingPackageError } from './tracing.errors.js';
export {
  TracingModule,
  type TracingModuleAsyncOptions,
  type TracingModuleOptions,
  type TracingOptionsFactory,
} from './tracing.module.js';
export type {
  ApplicationMetricsOptions,
  BaggageOptions,
  BatchOptions,
  ExporterName,
  ExporterOption,
  GrpcCall,
  GrpcMethodPattern,
  GrpcOptions,
  HostPattern,
  HttpClientOptions,
  HttpOptions,
  HttpRequest,
  HttpResponse,
  JaegerAgentOptions,
  JaegerCollectorOptions,
  JaegerExporterOptions,
  JaegerRemoteSamplerOptions,
  MeterMetricsOptions,
  MetricsOptions,
  OtlpExporterOptions,
  OtlpProtocol,
  OutgoingRequest,
  PathPattern,
  PortMetricsOptions,
  PrometheusMetricsOptions,
  PrometheusRegistry,
  PrometheusRegistryOptions,
  PropagatorName,
  PropagatorOption,
  RatioSamplerOptions,
  RemoteSamplerName,
  ReadableSpan,
  Sampler,
  SamplerName,
  SamplerOption,
  ShutdownOptions,
  SpanExporter,
  SpanLimitOptions,
  TracingOptions,
  UnservedMetricsOptions,
} from './tracing.options.js';
export { TracingService } from './tracing.service.js';
