import type { ApplicationConfig, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import type { Attributes } from '@opentelemetry/api';
import { ApplicationInstances } from '../core/application-instances.js';
import { warn } from '../core/diagnostics.js';
import type { Instruments } from '../core/instruments.js';
import {
  addMeasuredApplication,
  keepMeasuredApplication,
  removeMeasuredApplication,
  type MeasuredApplication,
} from '../core/measured-applications.js';
import type { ResolvedMetrics, ResolvedMetricsPlace } from '../options/metrics.js';
import type { ExportStatistics } from '../tracing.runtime.js';
import { measureExport } from './export-metrics.js';
import { MeterInstruments } from './meter-instruments.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { addMetricsRoute, reserveMetricsPath } from './metrics-route.js';
import { MetricsServer } from './metrics-server.js';
import { PrometheusMetrics } from './prometheus-metrics.js';

/** What an application's metrics are to know. */
export interface MetricsSources {
  /** What the service is called, among others. */
  readonly resource: Attributes;
  readonly exportStatistics: () => readonly ExportStatistics[];
}

/** What Nest provides to serve them. */
export interface MetricsHosts {
  readonly adapterHost: HttpAdapterHost;
  readonly applicationConfig: ApplicationConfig;
  readonly moduleRef: ModuleRef;
  readonly modules: ModulesContainer;
}

/** What an application measures, and where that can be read. */
export class Metrics {
  /** Undefined where nothing is measured. */
  readonly instruments: Instruments | undefined;
  readonly #prometheus: PrometheusMetrics | undefined;
  readonly #place: ResolvedMetricsPlace | undefined;
  readonly #instances: ApplicationInstances;
  readonly #application: MeasuredApplication;
  #routed = false;
  #server: MetricsServer | undefined;
  #closing: Promise<void> | undefined;
  #undo: readonly (() => void)[] | undefined;

  /** @throws TracingConfigurationError */
  constructor(
    options: ResolvedMetrics | undefined,
    private readonly sources: MetricsSources,
    private readonly hosts: MetricsHosts,
  ) {
    if (options?.type === 'prometheus') {
      this.#prometheus = new PrometheusMetrics(options);
      this.#place = options.place;
      if (this.#place && this.#place.port === undefined) reserveMetricsPath(hosts.applicationConfig, this.#place.path);
    }
    this.instruments =
      options?.type === 'opentelemetry' ? new MeterInstruments(options.meterProvider) : this.#prometheus?.instruments;
    this.#instances = new ApplicationInstances(hosts.modules);
    this.#application = addMeasuredApplication(this.instruments, this.#instances);
  }

  /**
   * Adds the route, where the application serves the metrics itself. Call it before Nest registers its own.
   *
   * @throws TracingConfigurationError where the application has a route at that path already
   */
  async addRoute(): Promise<void> {
    const prometheus = this.#prometheus;
    if (!prometheus || !this.#place || this.#place.port !== undefined) return;
    await addMetricsRoute(this.hosts, this.#place, (accept) => prometheus.expose(accept));
    this.#routed = true;
  }

  /** Dependency injection has made every provider. */
  providersMade(): void {
    this.#instances.changed();
  }

  /** The application has started: opens the port, where the metrics have one of their own. */
  async open(): Promise<void> {
    this.#instances.changed();
    await this.#start();
    if (this.instruments instanceof MeterInstruments && !this.instruments.heard) warnOfSilence();
    if (this.#place && this.#place.port === undefined && !this.#routed) {
      const fix = 'Give metrics.port, or path: false where they are not to be served.';
      warn('metrics-path', `Nothing serves the metrics: this application has no HTTP server. ${fix}`);
    }
  }

  async close(): Promise<void> {
    this.stop();
    await this.#closing;
  }

  /** Measures nothing for now, and closes the port, until the metrics are opened again. */
  stop(): void {
    removeMeasuredApplication(this.#application);
    for (const undo of this.#undo ?? []) undo();
    this.#undo = undefined;
    this.#closing = this.#server?.close() ?? this.#closing;
    this.#server = undefined;
  }

  async #start(): Promise<void> {
    keepMeasuredApplication(this.#application);
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
