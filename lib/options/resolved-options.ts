import type { Attributes, TextMapPropagator } from '@opentelemetry/api';
import type {
  HttpRequest,
  HttpOptions,
  OtlpProtocol,
  PropagatorName,
  Sampler,
  SamplerName,
  SpanExporter,
} from '../tracing.options.js';

/** What `resolveOptions()` makes of the user's options, the environment and the defaults: complete, checked and frozen. */
export interface ResolvedOptions {
  readonly enabled: boolean;
  /** Resource attributes, `service.name` among them. */
  readonly resource: Attributes;
  /** Whether `OTEL_NODE_RESOURCE_DETECTORS` asks for the SDK's own detectors. */
  readonly detectResources: boolean;
  readonly exporters: readonly ResolvedExporter[];
  readonly batch: ResolvedBatch;
  readonly sampler: ResolvedSampler;
  readonly propagators: readonly (Exclude<PropagatorName, 'none'> | TextMapPropagator)[];
  readonly limits: ResolvedSpanLimits;
  readonly http: ResolvedHttp;
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
  { readonly type: SamplerName; readonly ratio: number } | { readonly type: 'custom'; readonly sampler: Sampler };

export interface ResolvedSpanLimits {
  readonly attributeCount: number;
  readonly attributeValueLength: number;
  readonly eventCount: number;
  readonly linkCount: number;
  readonly attributePerEventCount: number;
  readonly attributePerLinkCount: number;
}

export interface ResolvedHttp {
  /** Whether this request is left out. A function that the user wrote stands here as it is, and is all that may throw. */
  readonly ignore: ((request: HttpRequest) => boolean) | undefined;
  /** Lower-case header names. */
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  /** Matches the decoded names of query parameters whose values are hidden. */
  readonly redactQuery: (name: string) => boolean;
  readonly spanName: HttpOptions['spanName'];
  readonly requestHook: HttpOptions['requestHook'];
  readonly responseHook: HttpOptions['responseHook'];
}
