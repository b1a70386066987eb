import type { Metric, OwnRegistry, PromClient, Registry } from './prom-client.js';

/** One of prom-client's default metrics. A registry that has it has all of them. */
const A_DEFAULT_METRIC = 'process_cpu_user_seconds_total';

interface DefaultMetric {
  readonly name: string;
  readonly metric: Metric;
}

/** The state that all copies of the library in this process share. */
interface ProcessState {
  readonly sets: WeakMap<PromClient, readonly DefaultMetric[]>;
  /** The number of applications that use the default metrics of a registry. */
  readonly users: WeakMap<Registry, number>;
}

const KEY = Symbol.for('nestjs-tracing:default-metrics');
const holder = globalThis as { [KEY]?: ProcessState };
const { sets, users } = (holder[KEY] ??= {
  sets: new WeakMap<PromClient, readonly DefaultMetric[]>(),
  users: new WeakMap<Registry, number>(),
});

/**
 * The default metrics of prom-client in one application's registry. For each set of default metrics, prom-client starts to
 * observe the event loop and the garbage collector, and it cannot stop. So the process has one set, which all registries
 * share.
 */
export class DefaultMetrics {
  readonly #metrics: readonly DefaultMetric[];

  /** Adds the default metrics. Returns undefined, and adds nothing, if the registry already has its own. */
  static addTo(registry: Registry, client: PromClient): DefaultMetrics | undefined {
    const metrics = getSharedMetrics(client);
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

  /** Adds the metrics again if the registry was cleared. */
  restore(): void {
    if (!this.registry.getSingleMetric(A_DEFAULT_METRIC)) this.#register();
  }

  /** Removes the metrics once no application uses them any more, so that another module can add its own. */
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

/** Returns the process's set of default metrics, and creates it on the first call. */
function getSharedMetrics(client: PromClient): readonly DefaultMetric[] {
  let metrics = sets.get(client);
  if (!metrics) {
    const registry: OwnRegistry = new client.Registry();
    client.collectDefaultMetrics({ register: registry });
    metrics = registry.getMetricsAsArray().map((metric) => ({ name: metric.name, metric }));
    sets.set(client, metrics);
  }
  return metrics;
}
