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
import { ApplicationStart, ApplicationStartModule, type ApplicationStartListener } from './application-start.js';
import { callSafely, reportIgnored, setDiagnosticsLevel, setDiagnosticsSink } from './core/diagnostics.js';
import { INTEGRATIONS, type Integration, type IntegrationHooks } from './core/integration.js';
import { addUnmeasuredApplication } from './core/unmeasured-application.js';
import { watchGateways } from './core/watch-gateways.js';
import { listIntegrations, startIntegrations } from './integrations.js';
import { checkOptions } from './options/check-options.js';
import { isSdkDisabled, resolveEnabled } from './options/enabled.js';
import { resolveLogLevel } from './options/log-level.js';
import { resolveOptions, type ResolvedOptions } from './options/resolve-options.js';
import { discardBuffered, startBuffering, startTracing } from './sdk/bootstrap.js';
import { createStartReport } from './start-report.js';
import { DISABLED_RUNTIME, TRACING_RUNTIME, type TracingRuntime } from './tracing.runtime.js';
import { TracingConfigurationError } from './tracing.errors.js';
import type { TracingOptions } from './tracing.options.js';
import { findOptionsOverride } from './tracing.override.js';
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

/** True if an application of the process has buffered early spans. The functions of `sdk/` are called only then: they load it. */
let hasStartedBuffering = false;

/** The interface of a class that is given to `forRootAsync({ useClass })` or `forRootAsync({ useExisting })`. */
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
        ModulesContainer,
      ],
      useFactory: resolveGivenOptions,
    },
    {
      provide: TRACING_RUNTIME,
      inject: [RESOLVED_OPTIONS, ModulesContainer],
      useFactory: startIfEnabled,
    },
    {
      provide: INTEGRATIONS,
      inject: [RESOLVED_OPTIONS],
      useFactory: (options: ResolvedOptions | undefined) => (options ? listIntegrations() : []),
    },
    TracingService,
  ],
  exports: [TracingService],
})
export class TracingModule extends ConfigurableModuleClass implements NestModule, OnModuleInit, OnApplicationShutdown {
  /** Configures tracing with values that are known when the module is imported. Everything has a default. */
  static override forRoot(options: TracingModuleOptions = {}): DynamicModule {
    return startWhenImportsAreRead(super.forRoot(options), options?.enabled);
  }

  /** Configures tracing with values that are known later, such as those of `ConfigService`. */
  static override forRootAsync(options: TracingModuleAsyncOptions): DynamicModule {
    checkAsyncOptions(options);
    return startWhenImportsAreRead(super.forRootAsync(options));
  }

  /** The integrations of the application. A repeated import of the module has none. */
  private readonly integrations: readonly IntegrationHooks[];
  private readonly stopWatchingGateways: () => void;
  private readonly report: ApplicationStartListener | undefined;

  /** @internal */
  constructor(
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions | undefined,
    @Inject(TRACING_RUNTIME) private readonly runtime: TracingRuntime,
    @Inject(HttpAdapterHost) adapterHost: HttpAdapterHost,
    @Inject(ApplicationConfig) applicationConfig: ApplicationConfig,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ModuleRef) moduleRef: ModuleRef,
    @Inject(ApplicationStart) start: ApplicationStart,
    @Inject(INTEGRATIONS) list: readonly Integration<ResolvedOptions>[],
  ) {
    super();
    this.shutDownLast();
    start.add({ acquire: () => this.acquire(), release: () => this.release() });
    if (options && !runtime.repeated) {
      this.report = createStartReport(options, runtime.foreignProvider, adapterHost);
      start.add(this.report);
    }
    const hosts = { adapterHost, applicationConfig, modules, moduleRef };
    if (!options) this.integrations = [addUnmeasuredApplication(modules)];
    else this.integrations = runtime.repeated ? [] : startIntegrations(list, options, runtime, hosts);
    this.watchTransports();
    this.stopWatchingGateways = options && !runtime.repeated ? this.watchGateways(applicationConfig) : () => {};
  }

  /**
   * Called by Nest when the HTTP server exists and no route is registered yet. In preview mode Nest creates no provider, and calls it on an
   * object of this class for which no constructor has run: nothing starts then.
   */
  async configure(): Promise<void> {
    if (!Object.hasOwn(this, 'integrations')) {
      if (hasStartedBuffering) discardBuffered();
      return;
    }
    for (const integration of this.integrations) await callHook(() => integration.beforeRoutes?.());
  }

  /** Called by Nest when it has created every provider. */
  onModuleInit(): void {
    this.callSafely((integration) => integration.providersReady?.());
  }

  private async acquire(): Promise<void> {
    this.stopWatchingGateways();
    this.runtime.acquire();
    for (const integration of this.integrations) await callHook(() => integration.acquire?.());
  }

  /** Releases everything, so that the next application finds the process as if this one had not started. */
  private release(): void {
    this.runtime.release();
    this.callSafely((integration) => integration.release?.());
  }

  async onApplicationShutdown(): Promise<void> {
    for (const integration of this.integrations) await callHook(() => integration.drain?.());
    this.report?.release();
    await this.runtime.shutdown();
    // Integrations stop in the reverse order of their start.
    for (const integration of this.integrations.toReversed()) await callHook(() => integration.shutdown?.());
  }

  /** Calls a hook of each integration. What one throws is reported. */
  private callSafely(hook: (integration: IntegrationHooks) => void): void {
    for (const integration of this.integrations) callSafely('An integration', () => hook(integration));
  }

  private watchGateways(applicationConfig: ApplicationConfig): () => void {
    return watchGateways(applicationConfig, {
      onGateways: () => this.callSafely((integration) => integration.beforeGateways?.()),
      onAdapter: (adapter) => this.callSafely((integration) => integration.beforeSocketAdapter?.(adapter)),
    });
  }

  private watchTransports(): void {
    // The method is public, but recent: with a release without it, microservice transports are not traced.
    const { getRpcTargetRegistry: registry } = this.modules as Partial<ModulesContainer>;
    registry?.call(this.modules).subscribe((transport: unknown) => {
      this.callSafely((integration) => integration.beforeTransport?.(transport));
    });
  }

  // Nest runs the shutdown hooks of the farthest module last. Other global modules have the distance that this one would have, and the
  // spans that they start while they shut down have to be exported as well.
  private shutDownLast(): void {
    for (const module of this.modules.values()) {
      if (module.metatype === TracingModule) module.distance = Infinity;
    }
  }
}

/** Calls a hook of an integration. A configuration error stops the start of the application; any other error is reported. */
async function callHook(call: () => void | Promise<void>): Promise<void> {
  try {
    await call();
  } catch (error) {
    if (error instanceof TracingConfigurationError) throw error;
    reportIgnored('An integration', error);
  }
}

/**
 * Resolves the options that the application has given. Returns undefined if tracing is disabled: an application must be able to switch it
 * off even if the rest of its configuration is wrong. From here on, Nest's logger writes the messages of the library.
 */
function resolveGivenOptions(
  options: TracingOptions,
  configured: unknown,
  modules: ModulesContainer,
): ResolvedOptions | undefined {
  setDiagnosticsSink(new Logger('TracingModule'));
  setDiagnosticsLevel(resolveLogLevel(process.env));
  try {
    // A test may mock whatever is not provided, so that only true says that the module is configured.
    if (configured !== true) throw notConfigured();
    const given = checkOptions(options);
    const override = findOptionsOverride(modules);
    if (override) return override(given, resolveOptions);
    return resolveEnabled(given.enabled, process.env) ? resolveOptions(options) : undefined;
  } catch (error) {
    if (hasStartedBuffering) discardBuffered();
    throw error;
  }
}

function startIfEnabled(options: ResolvedOptions | undefined, application: object): TracingRuntime {
  if (options) return startTracing(options, application);
  if (hasStartedBuffering) discardBuffered();
  return DISABLED_RUNTIME;
}

function notConfigured(): TracingConfigurationError {
  const fix =
    'Import TracingModule.forRoot() or forRootAsync(), once, in the root module: TracingService is injectable everywhere then.';
  return new TracingConfigurationError('imports', TracingModule, fix);
}

function checkAsyncOptions(options: Partial<TracingModuleAsyncOptions>): void {
  const kinds = (['useFactory', 'useClass', 'useExisting'] as const).filter((kind) => options?.[kind] !== undefined);
  if (kinds.length === 1) return;
  const fix = 'Give exactly one of useFactory, useClass and useExisting.';
  throw new TracingConfigurationError('forRootAsync', kinds.join(' and ') || undefined, fix);
}

/**
 * Starts the buffering of early spans when Nest reads the imports of the module. Nest does so when it scans the modules, before it creates
 * any provider: the earliest moment of each start, also of a second application with the same modules. If `forRoot()` itself did it, importing
 * a file would register globals.
 *
 * @param enabled the option, if it is known already
 */
function startWhenImportsAreRead(definition: DynamicModule, enabled?: unknown): DynamicModule {
  const { imports } = definition;
  return Object.defineProperty(definition, 'imports', {
    enumerable: true,
    configurable: true,
    get() {
      if (enabled !== false && !isSdkDisabled(process.env)) {
        hasStartedBuffering = true;
        startBuffering();
      }
      return imports;
    },
  });
}
