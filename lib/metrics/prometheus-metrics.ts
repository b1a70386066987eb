import type { Attributes } from '@opentelemetry/api';
import { ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { ResolvedPrometheusMetrics } from '../options/metrics.js';
import { DefaultMetrics } from './default-metrics.js';
import { expose, type Exposition } from './exposition.js';
import { loadPromClient, type PromClient, type Registry } from './prom-client.js';
import { PrometheusInstruments } from './prometheus-instruments.js';

/** The metrics of an application in a registry of prom-client. */
export class PrometheusMetrics {
  readonly instruments: PrometheusInstruments;
  readonly #client: PromClient;
  readonly #registry: Registry;
  #defaultMetrics: DefaultMetrics | undefined;

  /** @throws TracingPackageError where prom-client is not installed */
  constructor(private readonly options: ResolvedPrometheusMetrics) {
    const client = (this.#client = loadPromClient());
    this.#registry = options.registry ?? new client.Registry(client.Registry.OPENMETRICS_CONTENT_TYPE);
    this.instruments = new PrometheusInstruments(client, this.#registry, options.cardinalityLimit);
  }

  /**
   * Adds what is there only while the application is up. By now every other module has added its metrics to a registry that
   * it shares with this one. Returns the functions that remove it again.
   */
  start(resource: Attributes): readonly (() => void)[] {
    const { instruments } = this;
    instruments.acquire();
    if (this.options.defaultMetrics) this.#defaultMetrics = DefaultMetrics.addTo(this.#registry, this.#client);
    return [
      describeTarget(instruments, resource),
      () => {
        this.#defaultMetrics?.remove();
        this.#defaultMetrics = undefined;
        instruments.release();
      },
    ];
  }

  /** The metrics as text, in the format that the `accept` header of a scraper asks for. */
  expose(accept: string | undefined): Promise<Exposition> {
    this.instruments.restore();
    this.#defaultMetrics?.restore();
    return expose(this.#registry, accept);
  }
}

// The name under which OpenTelemetry's rules for Prometheus keep the resource, for joins.
function describeTarget(instruments: PrometheusInstruments, resource: Attributes): () => void {
  const attributes = [ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION];
  const description = { name: 'target_info', description: 'The service that is measured.', unit: '', attributes };
  return instruments.observeGauge(description, () => [{ value: 1, attributes: resource }]);
}
