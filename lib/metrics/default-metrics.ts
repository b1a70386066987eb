import type { Metric, OwnRegistry, PromClient, Registry } from './prom-client.js';

/** One of the metrics of prom-client's default set, by which a registry is known to have them. */
const A_DEFAULT_METRIC = 'process_cpu_user_seconds_total';

interface DefaultMetric {
  readonly name: string;
  readonly metric: Metric;
}

/** Kept once in a process, however many copies of the library are loaded. */
interface ProcessState {
  readonly sets: WeakMap<PromClient, readonly DefaultMetric[]>;
  /** How many applications use the default metrics that were added to a registry. */
  readonly users: WeakMap<Registry, number>;
}

const KEY = Symbol.for('nestjs-tracing:default-metrics');
const holder = globalThis as { [KEY]?: ProcessState };
const { sets, users } = (holder[KEY] ??= {
  sets: new WeakMap<PromClient, readonly DefaultMetric[]>(),
  users: new WeakMap<Registry, number>(),
});

/**
 * prom-client's default metrics in a registry, for one application. prom-client observes the event loop and the garbage
 * collector for each set it makes and cannot stop, so there is one set for the process, which all registries share.
 */
export class DefaultMetrics {
  readonly #metrics: readonly DefaultMetric[];

  /** Adds them, unless the registry has default metrics of its own. Returns undefined then. */
  static addTo(registry: Registry, client: PromClient): DefaultMetrics | undefined {
    const metrics = collect(client);
    const present = registry.getSingleMetric(A_DEFAULT_METRIC);
    if (present && !metrics.some(({ metric }) => metric === present)) return undefined;
    return new DefaultMetrics(registry, metrics);
  }

  private constructor(
    private readonly registry: Registry,
    metrics: readonly DefaultMetric[],
  ) {
    this.#metrics = metrics;
    users.set(registry, (users.get(registry) ?? 0) + 1);
    this.#register();
  }

  /** Adds them again if the registry was cleared. */
  restore(): void {
    if (!this.registry.getSingleMetric(A_DEFAULT_METRIC)) this.#register();
  }

  /** Removes them when the last application that uses them is over, so that another module can add its own. */
  remove(): void {
    const remaining = (users.get(this.registry) ?? 1) - 1;
    users.set(this.registry, remaining);
    if (remaining > 0) return;
    for (const { metric, name } of this.#metrics) {
      if (this.registry.getSingleMetric(name) === metric) this.registry.removeSingleMetric(name);
    }
  }

  #register(): void {
    for (const { metric, name } of this.#metrics) {
      if (this.registry.getSingleMetric(name)) continue;
      metric.name = name;
      this.registry.registerMetric(metric);
    }
  }
}

function collect(client: PromClient): readonly DefaultMetric[] {
  let metrics = sets.get(client);
  if (!metrics) {
    const registry: OwnRegistry = new client.Registry();
    client.collectDefaultMetrics({ register: registry });
    metrics = registry.getMetricsAsArray().map((metric) => ({ name: metric.name, metric }));
    sets.set(client, metrics);
  }
  return metrics;
}
