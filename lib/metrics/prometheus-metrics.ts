import type { Attributes } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { ResolvedPrometheusMetrics } from '../options/metrics.js';
import { DefaultMetrics } from './default-metrics.js';
import { expose, type Exposition } from './exposition.js';
import { loadPromClient, type PromClient, type Registry } from './prom-client.js';
import { PrometheusInstruments } from './prometheus-instruments.js';

/** The metrics of one application in a registry of prom-client. */
export class PrometheusMetrics {
  readonly instruments: PrometheusInstruments;
  readonly #client: PromClient;
  readonly #registry: Registry;
  #defaultMetrics: DefaultMetrics | undefined;

  /** @throws TracingPackageError if prom-client is not installed */
  constructor(private readonly options: ResolvedPrometheusMetrics) {
    const client = (this.#client = loadPromClient());
    this.#registry = options.registry ?? new client.Registry(client.Registry.OPENMETRICS_CONTENT_TYPE);
    this.instruments = new PrometheusInstruments(client, this.#registry, options.cardinalityLimit);
  }

  /**
   * Adds the metrics that exist only while the application runs. Call it after the start: other modules that share the
   * registry have added their metrics by then. Returns the functions that remove the metrics again.
   */
  start(resource: Attributes): readonly (() => void)[] {
    const { instruments } = this;
    instruments.acquire();
    if (this.options.defaultMetrics) this.#defaultMetrics = DefaultMetrics.addTo(this.#registry, this.#client);
    return [
      addTargetInfo(instruments, resource),
      () => {
        this.#defaultMetrics?.remove();
        this.#defaultMetrics = undefined;
        instruments.release();
      },
    ];
  }

  /** Renders the metrics in the text format that the scraper's `Accept` header asks for. */
  expose(accept: string | undefined): Promise<Exposition> {
    this.instruments.restore();
    this.#defaultMetrics?.restore();
    return expose(this.#registry, accept);
  }
}

/** Adds the resource as `target_info`, which OpenTelemetry's rules for Prometheus define for joins. */
function addTargetInfo(instruments: PrometheusInstruments, resource: Attributes): () => void {
  const attributes = [ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION];
  const description = {
    name: 'target_info',
    description: 'The service that exposes these metrics.',
    unit: '',
    attributes,
  };
  return instruments.observeGauge(description, () => [{ value: 1, attributes: resource }]);
}
