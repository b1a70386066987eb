import type { Attributes } from '@opentelemetry/api';
import { ApplicationInstances } from '../core/application-instances.js';
import type { RegisteredApplication } from '../core/application-registry.js';
import { warn } from '../core/diagnostics.js';
import type { Instruments } from '../core/instruments.js';
import type { ApplicationHosts, IntegrationHooks } from '../core/integration.js';
import { addMeasuredApplication, type MeasuredApplication } from '../core/measured-applications.js';
import type { ResolvedMetrics, ResolvedMetricsPlace } from '../options/metrics.js';
import type { ExportStatistics } from '../tracing.runtime.js';
import { measureExport } from './export-metrics.js';
import { MeterInstruments } from './meter-instruments.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { addMetricsRoute, reserveMetricsPath } from './metrics-route.js';
import { MetricsServer } from './metrics-server.js';
import { PrometheusMetrics } from './prometheus-metrics.js';

/** Where metrics read what they do not measure themselves. */
export interface MetricsSources {
  /** The attributes of the resource: the name of the service, among others. */
  readonly resource: Attributes;
  readonly exportStatistics: () => readonly ExportStatistics[];
}

/**
 * The metrics of an application, and where they can be read. They are no integration, since the integrations measure by their
 * instruments, but they act at the same moments.
 */
export class Metrics implements IntegrationHooks {
  /** Undefined if nothing is measured. */
  readonly instruments: Instruments | undefined;
  readonly #prometheus: PrometheusMetrics | undefined;
  readonly #place: ResolvedMetricsPlace | undefined;
  readonly #instances: ApplicationInstances;
  readonly #application: RegisteredApplication<MeasuredApplication>;
  #hasRoute = false;
  #server: MetricsServer | undefined;
  #closing: Promise<void> | undefined;
  #undo: readonly (() => void)[] | undefined;

  /** @throws TracingConfigurationError */
  constructor(
    options: ResolvedMetrics | undefined,
    private readonly sources: MetricsSources,
    private readonly hosts: ApplicationHosts,
  ) {
    if (options?.type === 'prometheus') {
      this.#prometheus = new PrometheusMetrics(options);
      this.#place = options.place;
      if (this.#place && this.#place.port === undefined) reserveMetricsPath(hosts.applicationConfig, this.#place.path);
    }
    this.instruments =
      options?.type === 'opentelemetry' ? new MeterInstruments(options.meterProvider) : this.#prometheus?.instruments;
    this.#instances = new ApplicationInstances(hosts.modules);
    this.#application = addMeasuredApplication({ instruments: this.instruments, instances: this.#instances });
  }

  /**
   * Adds the route, if the application serves the metrics itself.
   *
   * @throws TracingConfigurationError if the application has a route at that path already
   */
  async beforeRoutes(): Promise<void> {
    const prometheus = this.#prometheus;
    if (!prometheus || !this.#place || this.#place.port !== undefined) return;
    await addMetricsRoute(this.hosts, this.#place, (accept) => prometheus.expose(accept));
    this.#hasRoute = true;
  }

  providersReady(): void {
    this.#instances.invalidate();
  }

  /** Opens the port, if the metrics have one of their own. */
  async acquire(): Promise<void> {
    this.#instances.invalidate();
    await this.#start();
    if (this.instruments instanceof MeterInstruments && !this.instruments.hasMeterProvider) warnOfSilence();
    if (this.#place && this.#place.port === undefined && !this.#hasRoute) {
      const fix = 'Give metrics.port, or path: false where they are not to be served.';
      warn('metrics-path', `Nothing serves the metrics: this application has no HTTP server. ${fix}`);
    }
  }

  /** Measures nothing and closes the port, until the application is up again. */
  release(): void {
    this.#application.remove();
    for (const undo of this.#undo ?? []) undo();
    this.#undo = undefined;
    this.#closing = this.#server?.close() ?? this.#closing;
    this.#server = undefined;
  }

  async shutdown(): Promise<void> {
    this.release();
    await this.#closing;
  }

  async #start(): Promise<void> {
    this.#application.acquire();
    if (this.#undo || !this.instruments) return;
    this.#undo = [
      ...measureExport(this.instruments, this.sources.exportStatistics),
      ...(this.#prometheus?.start(this.sources.resource) ?? []),
    ];
    await this.#closing;
    if (!this.#undo || !this.#prometheus || this.#place?.port === undefined) return;
    const prometheus = this.#prometheus;
    this.#server = new MetricsServer(this.#place, new MetricsEndpoint((accept) => prometheus.expose(accept)));
    await this.#server.open();
  }
}

function warnOfSilence(): void {
  const fix = 'Register one before the application starts, or give metrics.meterProvider.';
  warn('meter-provider', `Metrics go nowhere so far: no MeterProvider is registered. ${fix}`);
}
