import type { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { LogLine } from './log-line.js';
import type { OperationMeter, OperationMetrics } from './operation-meter.js';

/** The injection token of the list of integrations. */
export const INTEGRATIONS = 'nestjs-tracing:integrations';

/**
 * The instrumentation of one protocol, library or Nest package.
 *
 * @typeParam Options the resolved options that the integration reads
 */
export interface Integration<Options> {
  /** The name of its folder, which diagnostics show. */
  readonly name: string;
  /**
   * Starts the integration, when Nest creates the providers of the application. Returns undefined if its options switch it off, or if
   * there is nothing to instrument.
   *
   * @throws TracingConfigurationError
   */
  start(options: Options, context: IntegrationContext): IntegrationHooks | undefined;
}

/** The moments in the life of an application at which an integration may act, in this order. */
export interface IntegrationHooks {
  /** Called when the HTTP server exists and no route is registered. Not called for an application without HTTP. */
  beforeRoutes?(): void | Promise<void>;
  /** Called when Nest is about to read the gateways of the application, and has read none. Not called for an application without gateways. */
  beforeGateways?(): void;
  /** Called with the adapter of the gateways before it serves any client, possibly more than once. */
  beforeSocketAdapter?(adapter: object): void;
  /** Called for each microservice transport when it exists and none of its handlers is registered, also for a transport connected later. */
  beforeTransport?(transport: unknown): void;
  /** Called when Nest has created every provider. */
  providersReady?(): void;
  /** Called when the application is up: its start can no longer fail. Called again if the application was down in between. */
  acquire?(): void | Promise<void>;
  /**
   * Called when the application is not up after all, because it cannot listen. Everything that `acquire()` took of the process must be
   * available to the next application.
   */
  release?(): void;
  /** Called when the application shuts down and spans can still be ended. */
  drain?(): Promise<void>;
  /** Called when the spans have been exported: nothing is instrumented from now on. */
  shutdown?(): void | Promise<void>;
}

/** The objects of which a Nest application has exactly one each. */
export interface ApplicationHosts {
  readonly adapterHost: HttpAdapterHost;
  readonly applicationConfig: ApplicationConfig;
  readonly moduleRef: ModuleRef;
  readonly modules: ModulesContainer;
}

/** The services that the module gives to each integration. */
export interface IntegrationContext extends ApplicationHosts {
  /** Returns the meter of the application for one kind of operation; undefined if the application measures nothing. */
  readonly meter: (metrics: OperationMetrics) => OperationMeter | undefined;
  /**
   * True if a sampler or a span processor may read the attributes of a span when it starts. Only then are they computed before it is known
   * whether the span records.
   */
  readonly areAttributesReadAtStart: boolean;
  /** True if the tracer provider belongs to another instrumentation, which may have spans around ours. */
  readonly hasForeignProvider: boolean;
  /** Exports the spans that have ended so far, within the time limit of the shutdown. Never rejects. */
  readonly flush: () => Promise<void>;
  /** Exports what a logger has written as a log record, if the options say so. */
  readonly emitLog: (line: LogLine) => void;
}
