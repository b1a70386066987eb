import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import type { CanActivate, Type } from '@nestjs/common';
import type { Attributes, MeterProvider, Span, TextMapPropagator } from '@opentelemetry/api';
import type { NodeSDKConfiguration } from '@opentelemetry/sdk-node';

/** The SDK's span exporter, by way of the one SDK package that users install. */
export type SpanExporter = NodeSDKConfiguration['traceExporter'];
/** The SDK's sampler. */
export type Sampler = NodeSDKConfiguration['sampler'];
/** A finished span as exporters see it. */
export type ReadableSpan = Parameters<SpanExporter['export']>[0][number];
/** The raw request of Node's HTTP/1.1 or HTTP/2 server. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;
/** The raw response of Node's HTTP/1.1 or HTTP/2 server. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/**
 * Everything `TracingModule.forRoot()` accepts. Nothing is required.
 *
 * Where an option is left out, the standard `OTEL_*` variable named beside it counts, then the default. An option that cannot be
 * right stops the start; a variable that cannot be used is warned of and ignored.
 */
export interface TracingOptions {
  /**
   * Whether to trace at all. When false, nothing is registered and no part of the SDK is loaded.
   * @default the opposite of `OTEL_SDK_DISABLED`, else true
   */
  enabled?: boolean;

  /**
   * `service.name` of the resource.
   * @default `OTEL_SERVICE_NAME`, else `service.name` in `OTEL_RESOURCE_ATTRIBUTES`, else the name in the nearest package.json
   */
  serviceName?: string;

  /**
   * `service.version` of the resource.
   * @default `service.version` in `OTEL_RESOURCE_ATTRIBUTES`, else the version in the nearest package.json
   */
  serviceVersion?: string;

  /**
   * More attributes of the resource, such as `deployment.environment.name`. They win over `OTEL_RESOURCE_ATTRIBUTES`.
   * @default {}
   */
  resource?: Attributes;

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

/** The names that `exporter` and `OTEL_TRACES_EXPORTER` know. */
export type ExporterName = 'otlp' | 'jaeger' | 'console' | 'memory' | 'none';

/** An exporter by name, by name with settings, or any exporter object of the OpenTelemetry SDK. */
export type ExporterOption =
  ExporterName | OtlpExporterOptions | JaegerExporterOptions | { type: 'console' | 'memory' | 'none' } | SpanExporter;

/** The OpenTelemetry protocol, which Jaeger, Tempo, the Collector and every vendor accept. */
export interface OtlpExporterOptions {
  type: 'otlp';
  /** @default `OTEL_EXPORTER_OTLP_TRACES_PROTOCOL`, `OTEL_EXPORTER_OTLP_PROTOCOL`, else `http/protobuf` */
  protocol?: OtlpProtocol;
  /**
   * Base address of the receiver. Over HTTP `/v1/traces` is added, unless the path ends so already. Over gRPC it may be
   * `host:port`, which is reached by TLS unless `OTEL_EXPORTER_OTLP_TRACES_INSECURE` or `OTEL_EXPORTER_OTLP_INSECURE` is `true`.
   * @default `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` as it stands, else `OTEL_EXPORTER_OTLP_ENDPOINT` as a base, else `http://localhost:4318` (HTTP) or `http://localhost:4317` (gRPC)
   */
  endpoint?: string;
  /**
   * Headers (gRPC: metadata) sent along, such as an API key. They are added to those of the variables.
   * @default `OTEL_EXPORTER_OTLP_HEADERS` and `OTEL_EXPORTER_OTLP_TRACES_HEADERS`
   */
  headers?: Readonly<Record<string, string>>;
  /**
   * How long one export may take, retries included, in milliseconds.
   * @default `OTEL_EXPORTER_OTLP_TRACES_TIMEOUT`, `OTEL_EXPORTER_OTLP_TIMEOUT`, else 10000
   */
  timeout?: number;
  /** @default `OTEL_EXPORTER_OTLP_TRACES_COMPRESSION`, `OTEL_EXPORTER_OTLP_COMPRESSION`, else `none` */
  compression?: 'gzip' | 'none';
}

/** The encodings of the OpenTelemetry protocol. */
export type OtlpProtocol = 'http/protobuf' | 'http/json' | 'grpc';

/**
 * Jaeger's own protocol (Thrift), by `@opentelemetry/exporter-jaeger`: to an agent by UDP, or to a collector by HTTP.
 * A Jaeger of version 1.35 or later also takes OTLP, which keeps more of a span.
 */
export type JaegerExporterOptions = JaegerAgentOptions | JaegerCollectorOptions;

/** Jaeger spans by UDP to an agent. */
export interface JaegerAgentOptions {
  type: 'jaeger';
  /** @default `OTEL_EXPORTER_JAEGER_AGENT_HOST`, else `localhost` */
  host?: string;
  /** The agent's port for binary Thrift. @default `OTEL_EXPORTER_JAEGER_AGENT_PORT`, else 6832 */
  port?: number;
  endpoint?: undefined;
  username?: undefined;
  password?: undefined;
}

/** Jaeger spans by HTTP to a collector. */
export interface JaegerCollectorOptions {
  type: 'jaeger';
  /**
   * Such as `http://localhost:14268/api/traces`; without a path `/api/traces` is added.
   * @default `OTEL_EXPORTER_JAEGER_ENDPOINT`
   */
  endpoint?: string;
  /** Goes together with `password`. @default `OTEL_EXPORTER_JAEGER_USER` */
  username?: string;
  /** Goes together with `username`. @default `OTEL_EXPORTER_JAEGER_PASSWORD` */
  password?: string;
  host?: undefined;
  port?: undefined;
}

/** The queue between finished spans and the exporter. When it is full, further spans are dropped and counted. */
export interface BatchOptions {
  /** Spans that may wait, with 64 MiB at most together, or 8 KiB for each if that is more. @default `OTEL_BSP_MAX_QUEUE_SIZE`, else 2048 */
  maxQueueSize?: number;
  /** Spans in one export, at most `maxQueueSize`. @default `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, else 512 */
  maxExportBatchSize?: number;
  /** Longest wait of a span, in milliseconds. @default `OTEL_BSP_SCHEDULE_DELAY`, else 5000 */
  scheduledDelay?: number;
  /** When an export counts as failed, in milliseconds. @default `OTEL_BSP_EXPORT_TIMEOUT`, else 30000 */
  exportTimeout?: number;
}

/** The values of `OTEL_TRACES_SAMPLER` that need no more than a ratio. */
export type SamplerName =
  | 'always_on'
  | 'always_off'
  | 'traceidratio'
  | 'parentbased_always_on'
  | 'parentbased_always_off'
  | 'parentbased_traceidratio';

/** The values of `OTEL_TRACES_SAMPLER` by which Jaeger says what is kept. */
export type RemoteSamplerName = 'jaeger_remote' | 'parentbased_jaeger_remote';

/** A sampler by name, by the share of traces it keeps, as Jaeger says, or any sampler object of the OpenTelemetry SDK. */
export type SamplerOption =
  SamplerName | RemoteSamplerName | RatioSamplerOptions | JaegerRemoteSamplerOptions | Sampler;

/**
 * Keeps a share of the traces, chosen by trace id. Services in other languages may choose other ones, so leave
 * `parentBased` on wherever there is a caller.
 */
export interface RatioSamplerOptions {
  /** Fraction of traces kept, 0 to 1. */
  ratio: number;
  /** Whether a caller's decision goes before the ratio. @default true */
  parentBased?: boolean;
}

/** Samples as Jaeger's remote sampling says for the service, and follows when that changes. */
export interface JaegerRemoteSamplerOptions {
  type: 'jaeger_remote';
  /**
   * Where Jaeger answers over HTTP: `/sampling` is added where there is no path.
   * @default `http://localhost:5778`
   */
  endpoint?: string;
  /** Fraction of traces kept until the first answer, 0 to 1. @default 0.001 */
  initialRatio?: number;
  /** Time between two questions, in milliseconds. @default 60000 */
  pollingInterval?: number;
  /** Whether a caller's decision goes before that of Jaeger. @default true */
  parentBased?: boolean;
}

/** The values of `OTEL_PROPAGATORS`. */
export type PropagatorName = 'tracecontext' | 'baggage' | 'b3' | 'b3multi' | 'jaeger' | 'xray' | 'none';

/** A propagator by name, or any propagator object of OpenTelemetry. */
export type PropagatorOption = PropagatorName | TextMapPropagator;

/** Key-value pairs that travel with the trace context: anybody on the way can read, add and change them. */
export interface BaggageOptions {
  /**
   * Keys whose value becomes an attribute of the same name on every span that starts where the baggage has them, unless the
   * span has that attribute already.
   * @default []
   */
  attributes?: readonly string[];

  /**
   * Which keys leave with calls and messages: a list, or a function. The others stay in this service.
   * @default every key
   */
  propagate?: readonly string[] | ((key: string) => boolean);
}

/** Bounds of a single span. */
export interface SpanLimitOptions {
  /** Attributes of a span. @default `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, `OTEL_ATTRIBUTE_COUNT_LIMIT`, else 128 */
  attributeCount?: number;
  /**
   * Characters of a text attribute; longer ones are cut.
   * @default `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`, else 8192
   */
  attributeValueLength?: number;
  /** Events of a span. @default `OTEL_SPAN_EVENT_COUNT_LIMIT`, else 128 */
  eventCount?: number;
  /** Links of a span. @default `OTEL_SPAN_LINK_COUNT_LIMIT`, else 128 */
  linkCount?: number;
}

/** A request path to leave out: exact text, text with `*` for any characters, or a pattern of the path. */
export type PathPattern = string | RegExp;

/** How incoming HTTP requests are traced. */
export interface HttpOptions {
  /**
   * Requests that are not traced, with everything beneath them: paths (`/health`, `/internal/*`), patterns, or a function.
   * @default []
   */
  ignore?: PathPattern | readonly PathPattern[] | ((request: HttpRequest) => boolean);

  /**
   * Whether the trace context that a request brings is adopted. Where it is not, the request begins a trace of its own with a
   * link to the caller's span: for edges that anybody can call. A function that throws has said no.
   * @default true
   */
  trustIncoming?: boolean | ((request: HttpRequest) => boolean);

  /**
   * Request headers to record as `http.request.header.<name>`. Credentials and cookies are redacted even then.
   * @default []
   */
  requestHeaders?: readonly string[];

  /**
   * Response headers to record as `http.response.header.<name>`. Cookies are redacted even then.
   * @default []
   */
  responseHeaders?: readonly string[];

  /**
   * Query parameters whose value is replaced by `REDACTED`, beside those whose name looks like that of a password, token, key,
   * code or signature. A text is a whole name, case ignored. A function is asked for each name and has the last word: true
   * hides the value, false shows it, undefined leaves it to the library. Its answers are remembered. If it throws or is async,
   * the library decides. It also applies to outgoing requests.
   * @default []
   */
  redactQuery?: readonly PathPattern[] | ((name: string) => boolean | undefined);

  /**
   * Names the server span in place of `{method} {route}`. Keep it of low cardinality: never the path.
   * Return undefined for the usual name.
   */
  spanName?: (request: HttpRequest, route: string | undefined) => string | undefined;

  /** Called when the server span has started, if it records. */
  requestHook?: (span: Span, request: HttpRequest) => void;

  /** Called before the server span ends, if it records. */
  responseHook?: (span: Span, response: HttpResponse) => void;

  /** Outgoing requests, by `fetch` or by `node:http` and what is built on it. False leaves them alone. */
  client?: HttpClientOptions | false;
}

/** A host by name (`api.example.com`), with its port (`localhost:9000`), all below it (`*.example.com`), or a pattern of `host:port`. */
export type HostPattern = string | RegExp;

/** An outgoing HTTP request. */
export interface OutgoingRequest {
  readonly method: string;
  readonly url: URL;
}

/** How outgoing HTTP requests are traced. */
export interface HttpClientOptions {
  /**
   * Requests that are not traced and carry no trace context: hosts, or a function.
   * @default []
   */
  ignore?: HostPattern | readonly HostPattern[] | ((request: OutgoingRequest) => boolean);

  /**
   * Which requests carry the trace context and baggage: hosts, or a function. The others are traced all the same.
   * @default every request
   */
  propagateTo?: HostPattern | readonly HostPattern[] | ((request: OutgoingRequest) => boolean);

  /**
   * Request headers to record as `http.request.header.<name>`. Credentials and cookies are redacted even then.
   * @default []
   */
  requestHeaders?: readonly string[];

  /**
   * Response headers to record as `http.response.header.<name>`. Cookies are redacted even then.
   * @default []
   */
  responseHeaders?: readonly string[];
}

/** A gRPC method: its full name (`shop.Orders/Place`), one with `*` for any characters (`shop.Orders/*`), or a pattern. */
export type GrpcMethodPattern = string | RegExp;

/** A gRPC call, as far as options may look at it. */
export interface GrpcCall {
  /** Such as `shop.Orders/Place`. */
  readonly method: string;
  /** Whether this process serves the call or makes it. */
  readonly side: 'server' | 'client';
  /** What the caller sent along. */
  readonly metadata: { get(key: string): readonly (string | Buffer)[] };
}

/** How gRPC calls are traced, on both sides. */
export interface GrpcOptions {
  /**
   * Calls that are not traced: methods, or a function. On the server nothing beneath them is traced either.
   * @default []
   */
  ignore?: GrpcMethodPattern | readonly GrpcMethodPattern[] | ((call: GrpcCall) => boolean);

  /**
   * Whether calls of gRPC's own health and reflection services are traced.
   * @default false
   */
  builtInServices?: boolean;

  /**
   * Whether the trace context that a call brings is adopted. Where it is not, the call begins a trace of its own with a link
   * to the caller's span. A function that throws has said no.
   * @default true
   */
  trustIncoming?: boolean | ((call: GrpcCall) => boolean);

  /**
   * Metadata of the caller to record as `rpc.request.header.<name>`. Credentials are redacted even then.
   * @default []
   */
  requestMetadata?: readonly string[];

  /**
   * Metadata of the answer to record: what comes before it as `rpc.response.header.<name>`, what comes after it as
   * `rpc.response.trailer.<name>`.
   * @default []
   */
  responseMetadata?: readonly string[];

  /**
   * Whether each message of a stream is noted as an event of its span.
   * @default false
   */
  messageEvents?: boolean;
}

/** How requests and calls are measured. */
export type MetricsOptions = PrometheusMetricsOptions | MeterMetricsOptions;

/** Metrics for a Prometheus to scrape, by the package `prom-client`. */
export type PrometheusMetricsOptions = ApplicationMetricsOptions | PortMetricsOptions | UnservedMetricsOptions;

/** A registry of prom-client. */
export interface PrometheusRegistry {
  registerMetric(metric: never): void;
  getSingleMetric(name: string): object | undefined;
  removeSingleMetric(name: string): void;
  getMetricsAsJSON(): Promise<unknown>;
}

/** What all ways of serving metrics have in common. */
export interface PrometheusRegistryOptions {
  /** @default 'prometheus' */
  type?: 'prometheus';
  /**
   * The registry of prom-client that the metrics are added to, so that they are served together with what is there already.
   * @default a registry of its own
   */
  registry?: PrometheusRegistry;
  /**
   * Whether prom-client's metrics of the process and of Node are added, unless the registry has them.
   * @default true
   */
  defaultMetrics?: boolean;
  /**
   * Series that one metric may have. What would begin further ones is counted in one series, with the label
   * `otel_metric_overflow="true"`, and the log says so once.
   * @default 2000
   */
  cardinalityLimit?: number;
}

/** Metrics on a path of the application: outside its global prefix, neither traced nor counted. Global guards apply. */
export interface ApplicationMetricsOptions extends PrometheusRegistryOptions {
  /** @default '/metrics' */
  path?: string;
  /** Guards of this path, beside the global ones: classes, as DI has them or makes them, or objects. @default [] */
  guards?: readonly (CanActivate | Type<CanActivate>)[];
  port?: undefined;
  host?: undefined;
}

/** Metrics on a port of their own: for applications without HTTP, and where the outside must not reach them. */
export interface PortMetricsOptions extends PrometheusRegistryOptions {
  /** Such as 9464, which OpenTelemetry's exporters use. */
  port: number;
  /** The address to listen on. @default all addresses */
  host?: string;
  /** @default '/metrics' */
  path?: string;
  guards?: undefined;
}

/** Metrics in a registry that the application serves or pushes itself. */
export interface UnservedMetricsOptions extends PrometheusRegistryOptions {
  path: false;
  guards?: undefined;
  port?: undefined;
  host?: undefined;
}

/** Metrics by OpenTelemetry's Meter API: whoever has set a `MeterProvider` up pushes them, by OTLP for instance. */
export interface MeterMetricsOptions {
  type: 'opentelemetry';
  /** @default the one that is registered globally */
  meterProvider?: MeterProvider;
}

/** How the last spans leave. */
export interface ShutdownOptions {
  /** Longest time that closing waits for the backend, in milliseconds. @default 5000 */
  timeout?: number;
  /**
   * Also export what is left when the process ends without `app.close()`: on SIGTERM and SIGINT without
   * `app.enableShutdownHooks()`, on an empty event loop, and after a fatal error. Exit codes and signals stay what they are.
   * @default false
   */
  onProcessExit?: boolean;
}
