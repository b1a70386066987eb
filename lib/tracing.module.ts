import {
  ConfigurableModuleBuilder,
  Inject,
  Logger,
  Module,
  type DynamicModule,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { ApplicationStart, ApplicationStartModule } from './application-start.js';
import { setDiagnosticsSink } from './core/diagnostics.js';
import { RequestMeter, type RequestMetrics } from './core/request-meter.js';
import { clientInterceptor } from './grpc/client-interceptor.js';
import { clientCallMetrics, serverCallMetrics } from './grpc/metrics.js';
import { OpenCalls } from './grpc/open-calls.js';
import { serverInterceptor } from './grpc/server-interceptor.js';
import { traceGrpcClients } from './grpc/trace-grpc-clients.js';
import { traceGrpcServers } from './grpc/trace-grpc-servers.js';
import { recordExceptions, recordExceptionsOfConnected } from './handlers/record-exceptions.js';
import { traceHandlers } from './handlers/trace-handlers.js';

import { clientRequestMetrics } from './http/client/metrics.js';
import { traceHttpClient, type HttpClientTracing } from './http/client/trace-http-client.js';
import { serverRequestMetrics } from './http/server/metrics.js';
import { traceHttpServer } from './http/server/trace-http-server.js';
import { Metrics } from './metrics/metrics.js';
import type { ResolvedGrpc } from './options/grpc.js';
import { resolveOptions, type ResolvedOptions } from './options/resolve-options.js';
import { abandonEarly, beginEarly, startTracing } from './sdk/bootstrap.js';
import { TRACING_RUNTIME, type TracingRuntime } from './tracing.runtime.js';
import { TracingConfigurationError } from './tracing.errors.js';
import type { TracingOptions } from './tracing.options.js';
import { TracingService } from './tracing.service.js';

const RESOLVED_OPTIONS = 'nestjs-tracing:resolved-options';
const CONFIGURED = 'nestjs-tracing:configured';

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN, OPTIONS_TYPE, ASYNC_OPTIONS_TYPE } =
  new ConfigurableModuleBuilder<TracingOptions>({ optionsInjectionToken: 'nestjs-tracing:options' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createTracingOptions')
    .setExtras({ isGlobal: true }, ({ providers = [], ...definition }, { isGlobal }) => ({
      ...definition,
      global: isGlobal,
      providers: [...providers, { provide: CONFIGURED, useValue: true }],
    }))
    .build();

/** What a class given to `forRootAsync({ useClass })` or `forRootAsync({ useExisting })` implements. */
export interface TracingOptionsFactory {
  createTracingOptions(): TracingOptions | Promise<TracingOptions>;
}

/** The argument of `TracingModule.forRoot()`. */
export type TracingModuleOptions = typeof OPTIONS_TYPE;
/** The argument of `TracingModule.forRootAsync()`. */
export type TracingModuleAsyncOptions = typeof ASYNC_OPTIONS_TYPE;

/**
 * Traces a Nest application. Import it once, in the root module, best as the first import.
 *
 * @example
 * ```ts
 * TracingModule.forRoot({ serviceName: 'orders' })
 * TracingModule.forRootAsync({ inject: [ConfigService], useFactory: (config: ConfigService) => ({ … }) })
 * TracingModule.forRootAsync(tracingConfig.asProvider())
 * ```
 */
@Module({
  imports: [ApplicationStartModule],
  providers: [
    {
      provide: RESOLVED_OPTIONS,
      inject: [
        { token: MODULE_OPTIONS_TOKEN, optional: true },
        { token: CONFIGURED, optional: true },
      ],
      useFactory: prepare,
    },
    {
      provide: TRACING_RUNTIME,
      inject: [RESOLVED_OPTIONS, ModulesContainer],
      useFactory: startTracing,
    },
    TracingService,
  ],
  exports: [TracingService],
})
export class TracingModule extends ConfigurableModuleClass implements NestModule, OnModuleInit, OnApplicationShutdown {
  /** Configures tracing with values that are known when the module is imported. Everything has a default. */
  static override forRoot(options: TracingModuleOptions = {}): DynamicModule {
    return beginWhenRead(super.forRoot(options));
  }

  /** Configures tracing with values that are known later, such as those of `ConfigService`. */
  static override forRootAsync(options: TracingModuleAsyncOptions): DynamicModule {
    checkKinds(options);
    return beginWhenRead(super.forRootAsync(options));
  }

  private readonly metrics: Metrics | undefined;
  private readonly httpClient: HttpClientTracing | undefined;
  private readonly grpcCalls = new OpenCalls();
  private traceGrpcClients = () => {};
  private hasStarted = false;
  private readonly registrationUndos: (() => void)[] = [];

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(TRACING_RUNTIME) private readonly runtime: TracingRuntime,
    @Inject(HttpAdapterHost) private readonly adapterHost: HttpAdapterHost,
    @Inject(ApplicationConfig) private readonly applicationConfig: ApplicationConfig,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ModuleRef) private readonly moduleRef: ModuleRef,
    @Inject(ApplicationStart) start: ApplicationStart,
  ) {
    super();
    this.shutDownLast();
    start.add({ started: () => this.started(), failed: () => this.startFailed() });
    if (this.runtime.repeated) return;
    this.metrics = this.measure();
    if (!this.active) return;
    this.httpClient =
      this.options.httpClient &&
      traceHttpClient({ ...this.options.httpClient, ...this.sampling, meter: this.meter(clientRequestMetrics) });
    if (this.options.grpc) this.traceGrpc(this.options.grpc);
  }

  /** Nest calls this when the HTTP server exists and no route is registered yet. */
  async configure(): Promise<void> {
    if (!this.active) return;
    const registered = traceHttpServer(this.adapterHost, {
      ...this.options.http,
      ...this.sampling,
      meter: this.meter(serverRequestMetrics),
      foreignProvider: this.runtime.foreignProvider,
    });
    this.whenRegistered(registered);
    this.prepareHandlers();
    await this.metrics?.addRoute();
  }

  /** By now Nest has made every provider. */
  onModuleInit(): void {
    this.metrics?.providersMade();
    if (!this.active) return;
    this.httpClient?.providersMade(this.modules);
    this.traceGrpcClients();
  }

  private async started(): Promise<void> {
    this.hasStarted = true;
    for (const undo of this.registrationUndos.splice(0)) undo();
    this.runtime.retain();
    this.httpClient?.retain();
    await this.metrics?.open();
  }

  /** The next application that starts is to find the process as if this one had not. */
  private startFailed(): void {
    this.runtime.release();
    this.httpClient?.release();
    this.metrics?.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.grpcCalls.end();
    await this.runtime.shutdown();
    this.httpClient?.stop();
    await this.metrics?.close();
  }

  private prepareHandlers(): void {
    traceHandlers(this.modules);
    this.whenRegistered(recordExceptions(this.applicationConfig, this.modules));
  }

  /** Calls a function when Nest has registered its routes and handlers. It does so at once for transports that are connected later. */
  private whenRegistered(undo: () => void): void {
    if (this.hasStarted) queueMicrotask(undo);
    else this.registrationUndos.push(undo);
  }

  private traceGrpc(options: ResolvedGrpc): void {
    const traced = serverInterceptor({ ...options, meter: this.meter(serverCallMetrics) }, this.grpcCalls);
    traceGrpcServers(this.modules, traced, () => {
      this.prepareHandlers();
      if (this.adapterHost.httpAdapter) this.whenRegistered(recordExceptionsOfConnected(this.modules));
    });
    const meter = this.meter(clientCallMetrics);
    const interceptor = clientInterceptor({ ...options, meter: () => meter });
    this.traceGrpcClients = () => traceGrpcClients(this.modules, interceptor);
    this.traceGrpcClients();
  }

  private get sampling(): { samplerReadsAttributes: boolean } {
    return { samplerReadsAttributes: this.options.sampler.type === 'custom' };
  }

  private measure(): Metrics {
    const { adapterHost, applicationConfig, moduleRef, modules, runtime } = this;
    const { metrics, resource } = this.options;
    const exportStatistics = () => runtime.exportStatistics();
    const hosts = { adapterHost, applicationConfig, moduleRef, modules };
    return new Metrics(runtime.enabled ? metrics : undefined, { resource, exportStatistics }, hosts);
  }

  private meter(metrics: RequestMetrics): RequestMeter | undefined {
    const instruments = this.metrics?.instruments;
    return instruments && RequestMeter.of(instruments, metrics);
  }

  /** Whether it is for this module to hook things up. */
  private get active(): boolean {
    return this.runtime.enabled && !this.runtime.repeated;
  }

  // Nest runs the shutdown hooks of the farthest module last. Other global modules are as far as this one would be,
  // and what they trace while they shut down is to be exported as well.
  private shutDownLast(): void {
    for (const module of this.modules.values()) {
      if (module.metatype === TracingModule) module.distance = Infinity;
    }
  }
}

/** The first step that needs the options: from here on, what is wrong with tracing is said by Nest's logger. */
function prepare(options: TracingOptions, configured?: true): ResolvedOptions {
  setDiagnosticsSink(new Logger('TracingModule'));
  try {
    if (!configured) throw notConfigured();
    return resolveOptions(options);
  } catch (error) {
    abandonEarly();
    throw error;
  }
}

function notConfigured(): TracingConfigurationError {
  const fix =
    'Import TracingModule.forRoot() or forRootAsync(), once, in the root module: TracingService is injectable everywhere then.';
  return new TracingConfigurationError('imports', TracingModule, fix);
}

function checkKinds(options: Partial<TracingModuleAsyncOptions>): void {
  const kinds = (['useFactory', 'useClass', 'useExisting'] as const).filter((kind) => options?.[kind] !== undefined);
  if (kinds.length === 1) return;
  const fix = 'Give exactly one of useFactory, useClass and useExisting.';
  throw new TracingConfigurationError('forRootAsync', kinds.join(' and ') || undefined, fix);
}

/**
 * Nest reads a module's imports when it scans the modules, before it makes anything: the earliest moment of each start,
 * also of a second application with the same modules. Doing it in `forRoot()` would make importing a file register
 * globals.
 */
function beginWhenRead(definition: DynamicModule): DynamicModule {
  const { imports } = definition;
  return Object.defineProperty(definition, 'imports', {
    enumerable: true,
    configurable: true,
    get() {
      beginEarly();
      return imports;
    },
  });
}
