import type { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { OperationMeter, OperationMetrics } from './operation-meter.js';

/**
 * Instruments one thing: a protocol, a library, a package of Nest.
 *
 * @typeParam Options the resolved options that it reads
 */
export interface Integration<Options> {
  /** The name in diagnostics, and that of its folder. */
  readonly name: string;
  /**
   * Starts the integration, when Nest makes the providers of the application. Returns undefined if its options switch it off, or if
   * there is nothing to instrument.
   *
   * @throws TracingConfigurationError
   */
  start(options: Options, context: IntegrationContext): IntegrationHooks | undefined;
}

/** The moments in the life of an application that an integration may act at, in this order. */
export interface IntegrationHooks {
  /** The HTTP server exists, and no route is registered. It is not called for an application without HTTP. */
  beforeRoutes?(): void | Promise<void>;
  /** A microservice transport exists, and none of its handlers is registered. It is called for each, also for those connected later. */
  beforeTransport?(transport: unknown): void;
  /** Nest has made every provider. */
  providersReady?(): void;
  /** The application is up: from now on its start cannot fail. Called again if it was down in between. */
  acquire?(): void | Promise<void>;
  /** The application is not up after all, because it cannot listen. Whatever it shares with the process must be free for the next one. */
  release?(): void;
  /** The application shuts down, and spans can still be ended. */
  drain?(): Promise<void>;
  /** The spans have left: nothing is instrumented from now on. */
  shutdown?(): void | Promise<void>;
}

/** The parts of a Nest application that there is one of. */
export interface ApplicationHosts {
  readonly adapterHost: HttpAdapterHost;
  readonly applicationConfig: ApplicationConfig;
  readonly moduleRef: ModuleRef;
  readonly modules: ModulesContainer;
}

/** What the module gives to each integration. */
export interface IntegrationContext extends ApplicationHosts {
  /** Returns the meter of the application for one kind of operation; undefined if the application measures nothing. */
  readonly meter: (metrics: OperationMetrics) => OperationMeter | undefined;
  /** True if the sampler looks at attributes: only then are they determined before it decides. */
  readonly samplerReadsAttributes: boolean;
  /** True if the tracer provider belongs to another instrumentation, which may have spans around ours. */
  readonly hasForeignProvider: boolean;
}
