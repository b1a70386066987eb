import { warn } from '../core/diagnostics.js';
import { VERSION } from '../core/version.js';
import type { Metric, Registry } from './prom-client.js';

/** One metric of a registry, and what it belongs to. Applications that share the registry share it. */
export interface RegisteredMetric {
  readonly name: string;
  readonly metric: Metric;
  /** What measures into it, or what it asks for its value. */
  readonly owner: object;
  /** Whether the registry had a metric of this name that is not ours. */
  leftOut: boolean;
}

// For all copies of the library, because their applications may share a registry.
const KEY = Symbol.for(`nestjs-tracing:registered-metrics@${VERSION}`);
const holder = globalThis as { [KEY]?: WeakMap<Registry, RegisteredMetrics> };
const known = (holder[KEY] ??= new WeakMap<Registry, RegisteredMetrics>());

/**
 * The metrics that the library has added to a registry. The application may clear the registry at any time, as tests do
 * after each case: what is still in use is then registered again, from zero.
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

  /** Forgets the metrics of applications that are over, if the registry was cleared since. */
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
    const added = { name, metric, owner, leftOut: false };
    this.#metrics.set(name, added);
    this.#register(added);
    return added;
  }

  remove({ metric, name }: RegisteredMetric): void {
    if (this.#metrics.get(name)?.metric !== metric) return;
    this.#metrics.delete(name);
    if (this.registry.getSingleMetric(name) === metric) this.registry.removeSingleMetric(name);
  }

  /** Called for every measurement: registers the metrics again if the registry was cleared. */
  checkRegistered({ leftOut, metric, name }: RegisteredMetric): void {
    if (!leftOut && this.registry.getSingleMetric(name) !== metric) this.restore();
  }

  /** Registers the metrics again, from zero, if the registry was cleared. A single one that was removed stays away. */
  restore(): void {
    if (!this.#isCleared()) return;
    for (const registered of this.#metrics.values()) {
      registered.metric.reset();
      this.#register(registered);
    }
  }

  #isCleared(): boolean {
    if (this.#metrics.size === 0) return false;
    let registrable = false;
    for (const { leftOut, metric, name } of this.#metrics.values()) {
      if (this.registry.getSingleMetric(name) === metric) return false;
      registrable ||= !leftOut;
    }
    return registrable;
  }

  // Not by prom-client's own way, which refuses exemplars in a registry that is set to the older text format. There they
  // are only left out.
  #register(registered: RegisteredMetric): void {
    const { metric, name } = registered;
    const other = this.registry.getSingleMetric(name);
    registered.leftOut = other !== undefined && other !== metric;
    if (registered.leftOut) {
      warn(
        `registry:${name}`,
        `The registry that metrics.registry names has a metric ${name} of its own. It stays, and the one of nestjs-tracing is left out. Rename the other one, or give a registry without it.`,
      );
      return;
    }
    metric.name = name;
    this.registry.registerMetric(metric);
  }
}
