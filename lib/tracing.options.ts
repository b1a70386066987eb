import type { BaggageOptions } from './options/baggage.js';
import type { BatchOptions } from './options/batch.js';
import type { DataOptions } from './options/data.js';
import type { EventsOptions } from './options/events.js';
import type { ExporterOption } from './options/exporter.js';
import type { GraphQLOptions } from './options/graphql.js';
import type { GrpcOptions } from './options/grpc.js';
import type { HttpOptions } from './options/http.js';
import type { JobsOptions } from './options/jobs.js';
import type { SpanLimitOptions } from './options/limits.js';
import type { LogsOptions } from './options/logs.js';
import type { MessagingOptions } from './options/messaging.js';
import type { MetricsOptions } from './options/metrics.js';
import type { NestOptions } from './options/nest.js';
import type { PropagatorOption } from './options/propagators.js';
import type { ResponseOptions } from './options/response.js';
import type { ResourceOptions } from './options/resource.js';
import type { SamplerOption } from './options/sampler.js';
import type { SpanProcessor } from './options/sdk-types.js';
import type { ShutdownOptions } from './options/shutdown.js';
import type { BooleanOption } from './options/text-types.js';
import type { SpanAttributesOption } from './options/span-attributes.js';
import type { TracerName } from './options/tracer.js';
import type { WebSocketOptions } from './options/websockets.js';

/**
 * The options of `TracingModule.forRoot()`. None of them is required.
 *
 * If an option is left out, the standard `OTEL_*` variable in its `@default` is used, else the default. An option that cannot be
 * used stops the start with a `TracingConfigurationError`. A variable that cannot be used is ignored with a warning.
 */
export interface TracingOptions extends ResourceOptions {
  /**
   * True if the application is traced. If false, nothing is registered and no part of the SDK is loaded.
   * @default the opposite of `OTEL_SDK_DISABLED`, else true
   */
  enabled?: BooleanOption | undefined;

  /**
   * The exporters of finished spans: one or several.
   * @default `OTEL_TRACES_EXPORTER`, else `otlp`
   */
  exporter?: ExporterOption | readonly ExporterOption[] | undefined;

  /** The queue between finished spans and the exporter. The exporters `console` and `memory` have no queue. */
  batch?: BatchOptions | undefined;

  /**
   * The sampler, which decides which traces are recorded and exported.
   * @default `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`, else `parentbased_always_on`
   */
  sampler?: SamplerOption | undefined;

  /**
   * The propagators, which read and write trace context and baggage in headers. All of them are used in this order, and the trace
   * context of a later one replaces that of an earlier one. Headers that are absent or malformed have no effect on the others.
   * @default `OTEL_PROPAGATORS`, else `['tracecontext', 'baggage']`
   */
  propagators?: PropagatorOption | readonly PropagatorOption[] | undefined;

  /** Entries of the baggage that become attributes, and entries that are sent. */
  baggage?: BaggageOptions | undefined;

  /**
   * Attributes of every span, or a function that returns them when a span starts, such as the tenant of the request. Attributes that a span
   * has already are kept. The function is called for each span that is recorded, and must be fast. A sampler does not see these attributes.
   * @default none
   */
  spanAttributes?: SpanAttributesOption | undefined;

  /** Limits of a single span. */
  limits?: SpanLimitOptions | undefined;

  /**
   * Span processors of the SDK. Each sees every recorded span before the exporters do, in this order, so that it can change the span. What a
   * processor throws is reported and ignored.
   */
  spanProcessors?: readonly SpanProcessor[] | undefined;

  /**
   * The tracer that creates the spans: the one of the library, or that of the SDK. Both follow the same specification, and export the same.
   * The one of the SDK takes about twice the time.
   * @default builtin
   */
  tracer?: TracerName | undefined;

  /** Incoming HTTP requests, and outgoing ones under `client`. False if neither are traced. */
  http?: HttpOptions | BooleanOption | undefined;

  /** gRPC calls on both sides. False if they are not traced. */
  grpc?: GrpcOptions | BooleanOption | undefined;

  /** What HTTP and gRPC responses tell clients about their trace. */
  response?: ResponseOptions | undefined;

  /** Messages over the transports of `@nestjs/microservices`, on both sides. gRPC has its own option. False if they are not traced. */
  messaging?: MessagingOptions | BooleanOption | undefined;

  /** Databases. False if none is traced. */
  data?: DataOptions | BooleanOption | undefined;

  /**
   * Jobs that run on a schedule or come from a queue of Bull, and commands of a command line. False if none is traced.
   * @default true
   */
  jobs?: JobsOptions | BooleanOption | undefined;

  /**
   * Messages of WebSocket clients. False if they are not traced, or options for them.
   * @default true
   */
  websockets?: WebSocketOptions | BooleanOption | undefined;

  /**
   * GraphQL operations. False if they are not traced, or options for them.
   * @default true
   */
  graphql?: GraphQLOptions | BooleanOption | undefined;

  /**
   * The handlers of events, commands and queries within the application, by `@nestjs/event-emitter` and `@nestjs/cqrs`. False if
   * they are not traced, or an object that switches one of the packages off.
   * @default true
   */
  events?: EventsOptions | BooleanOption | undefined;

  /** What Nest does for a request besides calling the handler. */
  nest?: NestOptions | undefined;

  /**
   * Metrics of requests and calls. All of them are measured, sampled or not. A sampled one adds an exemplar, which leads from the
   * metric to the trace.
   * @default false: nothing is measured. True stands for Prometheus metrics at `/metrics`
   */
  metrics?: MetricsOptions | BooleanOption | undefined;

  /** The trace in the log lines of Nest's `ConsoleLogger`. False if it is not added. */
  logs?: LogsOptions | BooleanOption | undefined;

  /** The export of the last spans at the end of the application. */
  shutdown?: ShutdownOptions | undefined;
}
