import { warn } from '../core/diagnostics.js';
import { VERSION } from '../core/version.js';
import type { Metric, Registry } from './prom-client.js';

/** A metric of ours in a registry. Applications that share the registry share the metric. */
export interface RegisteredMetric {
  readonly name: string;
  readonly metric: Metric;
  /** The instrument that measures into the metric, or the readers that the metric gets its values from. */
  readonly owner: object;
  /** True if the metric is not registered, because the registry has another metric of this name. */
  hasConflict: boolean;
}

// All copies of the library share it, because their applications may share a registry.
const KEY = Symbol.for(`nestjs-tracing:registered-metrics@${VERSION}`);
const holder = globalThis as { [KEY]?: WeakMap<Registry, RegisteredMetrics> };
const known = (holder[KEY] ??= new WeakMap<Registry, RegisteredMetrics>());

/**
 * The metrics that the library has added to a registry. The application may clear the registry at any time, as tests do
 * after each case. Metrics that are still in use are then registered again, and start at zero.
 */
export class RegisteredMetrics {
  readonly #metrics = new Map<string, RegisteredMetric>();
  readonly #users = new Set<object>();

  static of(registry: Registry): RegisteredMetrics {
    let metrics = known.get(registry);
    if (!metrics) known.set(registry, (metrics = new RegisteredMetrics(registry)));
    return metrics;
  }

  private constructor(private readonly registry: Registry) {}

  /** Forgets all metrics if the registry was cleared and no application uses them any more. */
  forgetUnused(): void {
    if (this.#users.size === 0 && this.#isCleared()) this.#metrics.clear();
  }

  acquire(user: object): void {
    this.#users.add(user);
  }

  release(user: object): void {
    this.#users.delete(user);
  }

  get(name: string): RegisteredMetric | undefined {
    this.restore();
    return this.#metrics.get(name);
  }

  add(name: string, metric: Metric, owner: object): RegisteredMetric {
    this.restore();
    const added = { name, metric, owner, hasConflict: false };
    this.#metrics.set(name, added);
    this.#register(added);
    return added;
  }

  remove({ metric, name }: RegisteredMetric): void {
    if (this.#metrics.get(name)?.metric !== metric) return;
    this.#metrics.delete(name);
    if (this.registry.getSingleMetric(name) === metric) this.registry.removeSingleMetric(name);
  }

  /** Registers all metrics again if this one is missing because the registry was cleared. Called for each measurement. */
  checkRegistered({ hasConflict, metric, name }: RegisteredMetric): void {
    if (!hasConflict && this.registry.getSingleMetric(name) !== metric) this.restore();
  }

  /** Registers the metrics again if the registry was cleared. A single metric that the application has removed stays removed. */
  restore(): void {
    if (!this.#isCleared()) return;
    for (const registered of this.#metrics.values()) {
      registered.metric.reset();
      this.#register(registered);
    }
  }

  #isCleared(): boolean {
    if (this.#metrics.size === 0) return false;
    let isAnyRegistrable = false;
    for (const { hasConflict, metric, name } of this.#metrics.values()) {
      if (this.registry.getSingleMetric(name) === metric) return false;
      isAnyRegistrable ||= !hasConflict;
    }
    return isAnyRegistrable;
  }

  // The metric is not created with `registers`, as usual: prom-client would then refuse a metric with exemplars if the
  // registry has the older text format. We render that format ourselves, without exemplars.
  #register(registered: RegisteredMetric): void {
    const { metric, name } = registered;
    const registeredUnderName = this.registry.getSingleMetric(name);
    registered.hasConflict = registeredUnderName !== undefined && registeredUnderName !== metric;
    if (registered.hasConflict) {
      warn(
        `registry:${name}`,
        `The registry of metrics.registry already has another metric ${name}, so the one of nestjs-tracing is not registered. Rename the other metric, or give another registry.`,
      );
      return;
    }
    metric.name = name;
    this.registry.registerMetric(metric);
  }
}
