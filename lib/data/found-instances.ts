import { debug } from '../core/diagnostics.js';
import type { DataApplication } from './applications.js';
import { recognizeInstances, releaseInstance, traceInstance } from './traced-instances.js';

/** The pools and clients that an application has in dependency injection. */
export class FoundInstances {
  readonly #instances = new Set<object>();
  /** The number of objects of each kind. */
  readonly #counts = new Map<string, number>();

  constructor(private readonly application: DataApplication) {}

  readonly onInstance = (candidate: unknown): void =>
    this.#look(candidate, (instance) => this.#instances.add(instance));

  /** An object of one request is not kept. */
  readonly onRequestInstance = (candidate: unknown): void => this.#look(candidate, () => {});

  /** Writes what was found so far, if anything was. */
  report(): void {
    const found = [...this.#counts].map(([kind, count]) => (count === 1 ? kind : `${count} × ${kind}`));
    if (found.length > 0) debug(`Found in dependency injection and traced: ${found.join(', ')}`);
  }

  /** Ends the instrumentation of all of them. */
  release(): void {
    for (const instance of this.#instances) releaseInstance(instance, this.application);
    this.#instances.clear();
  }

  #look(candidate: unknown, onTraced: (instance: object) => void): void {
    for (const found of recognizeInstances(candidate, ({ name }) => this.application.settings?.[name] !== undefined)) {
      if (this.#instances.has(found.instance)) continue;
      this.#counts.set(found.kind.name, (this.#counts.get(found.kind.name) ?? 0) + 1);
      traceInstance(found, this.application);
      onTraced(found.instance);
    }
  }
}
