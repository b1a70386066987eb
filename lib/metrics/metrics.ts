import type { HttpAdapterHost, ModuleRef } from '@nestjs/core';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Attributes } from '@opentelemetry/api';
import { warn } from '../core/diagnostics.js';
import { useInstruments, type Instruments } from '../core/instruments.js';
import type { ResolvedMetrics, ResolvedMetricsPlace, ResolvedPrometheusMetrics } from '../options/resolved-options.js';
import type { ExportStatistics } from '../tracing.runtime.js';
import { measureExport } from './export-metrics.js';
import { MeterInstruments } from './meter-instruments.js';
import { MetricsEndpoint } from './metrics-endpoint.js';
import { addMetricsRoute } from './metrics-route.js';
import { MetricsServer } from './metrics-server.js';
import { loadPromClient, type Registry } from './prom-client.js';
import { PrometheusInstruments } from './prometheus-instruments.js';

/** One of the metrics of prom-client's default set, by which a registry is known to have them. */
const A_DEFAULT_METRIC = 'process_cpu_user_seconds_total';

/** What an application's metrics are to know. */
export interface MetricsSources {
  /** What the service is called, among others. */
  readonly resource: Attributes;
  readonly exportStatistics: () => readonly ExportStatistics[];
}

/** What Nest provides to serve them. */
export interface MetricsHosts {
  readonly adapterHost: HttpAdapterHost;
  readonly moduleRef: ModuleRef;
}

/** What an application measures, and where that can be read. */
export class Metrics {
  readonly instruments: Instruments;
  readonly #endpoint: MetricsEndpoint | undefined;
  readonly #place: ResolvedMetricsPlace | undefined;
  readonly #stopUsing: () => void;
  #routed = false;
  #server: MetricsServer | undefined;

  /** @throws TracingConfigurationError */
  constructor(
    options: ResolvedMetrics,
    private readonly sources: MetricsSources,
    private readonly hosts: MetricsHosts,
  ) {
    if (options.type === 'prometheus') {
      const { instruments, registry } = prometheus(options, sources.resource);
      this.instruments = instruments;
      this.#endpoint = new MetricsEndpoint(registry);
      this.#place = options.place;
    } else {
      this.instruments = new MeterInstruments(options.meterProvider);
    }
    this.#stopUsing = useInstruments(this.instruments);
  }

  /** Adds the route, where the application serves the metrics itself. Call it before Nest registers its own. */
  async addRoute(): Promise<void> {
    const { adapterHost, moduleRef } = this.hosts;
    if (!this.#endpoint || !this.#place || this.#place.port !== undefined) return;
    await addMetricsRoute(adapterHost.httpAdapter, this.#place, this.#endpoint, moduleRef);
    this.#routed = true;
  }

  /** The application is up: opens the port, where the metrics have one of their own. */
  async open(): Promise<void> {
    measureExport(this.instruments, this.sources.exportStatistics);
    if (this.instruments instanceof MeterInstruments && !this.instruments.heard) warnOfSilence();
    if (!this.#place || !this.#endpoint) return;
    if (this.#place.port !== undefined) {
      this.#server = new MetricsServer(this.#place, this.#endpoint);
      await this.#server.open();
    } else if (!this.#routed) {
      const fix = 'Give metrics.port, or path: false where they are not to be served.';
      warn('metrics-path', `Nothing serves the metrics: this application has no HTTP server. ${fix}`);
    }
  }

  async close(): Promise<void> {
    this.#stopUsing();
    await this.#server?.close();
  }
}

function warnOfSilence(): void {
  const fix = 'Register one before the application starts, or give metrics.meterProvider.';
  warn('meter-provider', `Metrics go nowhere so far: no MeterProvider is registered. ${fix}`);
}

function prometheus(
  { cardinalityLimit, defaultMetrics, registry: given }: ResolvedPrometheusMetrics,
  resource: Attributes,
): { instruments: Instruments; registry: Registry } {
  const client = loadPromClient();
  const registry: Registry = given ?? new client.Registry(client.Registry.OPENMETRICS_CONTENT_TYPE);
  const instruments = new PrometheusInstruments(client, registry, cardinalityLimit);
  describeTarget(instruments, resource);
  if (defaultMetrics && !registry.getSingleMetric(A_DEFAULT_METRIC))
    client.collectDefaultMetrics({ register: registry });
  return { instruments, registry };
}

// The name under which OpenTelemetry's rules for Prometheus keep the resource, for joins.
function describeTarget(instruments: Instruments, resource: Attributes): void {
  const attributes = [ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION];
  const description = { name: 'target_info', description: 'The service that is measured.', unit: '', attributes };
  instruments.observeGauge(description, () => [{ value: 1, attributes: resource }]);
}
