import type { CanActivate, Type } from '@nestjs/common';
import type { Attributes, MeterProvider, TextMapPropagator } from '@opentelemetry/api';
import type {
  GrpcCall,
  HttpRequest,
  HttpOptions,
  OutgoingRequest,
  OtlpProtocol,
  PrometheusRegistry,
  PropagatorName,
  RemoteSamplerName,
  Sampler,
  SamplerName,
  SpanExporter,
} from '../tracing.options.js';

/** What `resolveOptions()` makes of the user's options, the environment and the defaults: complete, checked and frozen. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  /** Resource attributes, `service.name` among them. */
  readonly resource: Attributes;
  /** The detectors of the SDK that `OTEL_NODE_RESOURCE_DETECTORS` asks for. */
  readonly resourceDetectors: readonly string[];
  readonly exporters: readonly ResolvedExporter[];
  readonly batch: ResolvedBatch;
  readonly sampler: ResolvedSampler;
  readonly propagators: readonly (Exclude<PropagatorName, 'none'> | TextMapPropagator)[];
  readonly baggage: ResolvedBaggage;
  readonly limits: ResolvedSpanLimits;
  readonly http: ResolvedHttp;
  /** Undefined where outgoing requests are not traced. */
  readonly httpClient: ResolvedHttpClient | undefined;
  /** Undefined where gRPC is not traced. */
  readonly grpc: ResolvedGrpc | undefined;
  /** Undefined where nothing is measured. */
  readonly metrics: ResolvedMetrics | undefined;
  readonly shutdown: { readonly timeout: number; readonly onProcessExit: boolean };
  /** The options that shape the provider and were given in code: named in the warning when a provider is there already. */
  readonly providerOptionsGiven: readonly string[];
}

export type ResolvedExporter =
  | ResolvedOtlpExporter
  | { readonly type: 'jaeger'; readonly host: string; readonly port: number }
  | { readonly type: 'jaeger'; readonly endpoint: string; readonly username?: string; readonly password?: string }
  | { readonly type: 'console' }
  | { readonly type: 'memory' }
  | { readonly type: 'custom'; readonly exporter: SpanExporter };

export interface ResolvedOtlpExporter {
  readonly type: 'otlp';
  readonly protocol: OtlpProtocol;
  /** Complete: over HTTP with its path. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeout: number;
  readonly compression: 'gzip' | 'none';
  readonly tls: ResolvedTls;
}

/** Files with certificates, for an `https:` receiver. Only variables name them. */
export interface ResolvedTls {
  readonly certificate: ResolvedFile | undefined;
  readonly clientCertificate: ResolvedFile | undefined;
  readonly clientKey: ResolvedFile | undefined;
}

export interface ResolvedFile {
  readonly variable: string;
  readonly path: string;
}

export interface ResolvedBatch {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelay: number;
  readonly exportTimeout: number;
}

export type ResolvedSampler =
  | { readonly type: SamplerName; readonly ratio: number }
  | ResolvedRemoteSampler
  | { readonly type: 'custom'; readonly sampler: Sampler };

export interface ResolvedRemoteSampler {
  readonly type: RemoteSamplerName;
  /** Complete but for the name of the service. */
  readonly endpoint: string;
  readonly pollingInterval: number;
  readonly initialRatio: number;
}

export interface ResolvedBaggage {
  /** The keys that become attributes. */
  readonly attributes: readonly string[];
  /** Whether a key leaves; may throw, where the user wrote it. Undefined: all do. */
  readonly propagate: ((key: string) => boolean) | undefined;
}

export interface ResolvedSpanLimits {
  readonly attributeCount: number;
  readonly attributeValueLength: number;
  readonly eventCount: number;
  readonly linkCount: number;
  readonly attributePerEventCount: number;
  readonly attributePerLinkCount: number;
}

/** A header, or an entry of metadata, that spans record. */
export interface ResolvedHeader {
  /** In lower case. */
  readonly name: string;
  /** Whether its values are hidden. */
  readonly secret: boolean;
}

export interface ResolvedHttp {
  /** The request methods that spans and metrics name; any other is `_OTHER`. */
  readonly knownMethods: ReadonlySet<string>;
  /** Whether this request is left out. A function that the user wrote stands here as it is, and is all that may throw. */
  readonly ignore: ((request: HttpRequest) => boolean) | undefined;
  /** Whether the caller's trace context is adopted; may throw, where the user wrote it. Undefined: it is. */
  readonly trustIncoming: ((request: HttpRequest) => boolean) | undefined;
  readonly requestHeaders: readonly ResolvedHeader[];
  readonly responseHeaders: readonly ResolvedHeader[];
  /** True for the decoded names of query parameters whose values are hidden; may throw, where the application wrote it. */
  readonly redactQuery: (name: string) => boolean;
  readonly spanName: HttpOptions['spanName'];
  readonly requestHook: HttpOptions['requestHook'];
  readonly responseHook: HttpOptions['responseHook'];
}

export interface ResolvedHttpClient {
  /** The request methods that spans and metrics name; any other is `_OTHER`. */
  readonly knownMethods: ReadonlySet<string>;
  /** Whether this request is left out; may throw, where the user wrote it. */
  readonly ignore: ((request: OutgoingRequest) => boolean) | undefined;
  /** Whether this request carries the trace context; may throw, where the user wrote it. Undefined: all do. */
  readonly propagateTo: ((request: OutgoingRequest) => boolean) | undefined;
  readonly requestHeaders: readonly ResolvedHeader[];
  readonly responseHeaders: readonly ResolvedHeader[];
  /** True for the decoded names of query parameters whose values are hidden; may throw, where the application wrote it. */
  readonly redactQuery: (name: string) => boolean;
}

export interface ResolvedGrpc {
  /** Whether this call is left out; may throw, where the user wrote it. */
  readonly ignore: (call: GrpcCall) => boolean;
  /** Whether the caller's trace context is adopted; may throw, where the user wrote it. Undefined: it is. */
  readonly trustIncoming: ((call: GrpcCall) => boolean) | undefined;
  readonly requestMetadata: readonly ResolvedHeader[];
  readonly responseMetadata: readonly ResolvedHeader[];
  readonly messageEvents: boolean;
}

export type ResolvedMetrics =
  ResolvedPrometheusMetrics | { readonly type: 'opentelemetry'; readonly meterProvider: MeterProvider | undefined };

export interface ResolvedPrometheusMetrics {
  readonly type: 'prometheus';
  /** Undefined where the application reads the registry itself. */
  readonly place: ResolvedMetricsPlace | undefined;
  /** Undefined for one of its own. */
  readonly registry: PrometheusRegistry | undefined;
  /** Whether those of the process and of Node are among the metrics. */
  readonly defaultMetrics: boolean;
  /** Series of one metric. */
  readonly cardinalityLimit: number;
}

/** Where metrics can be read: at a path of the application, or of a port of its own. */
export type ResolvedMetricsPlace =
  | {
      readonly path: string;
      readonly guards: readonly (CanActivate | Type<CanActivate>)[];
      readonly port?: undefined;
    }
  | { readonly path: string; readonly port: number; readonly host: string | undefined };
