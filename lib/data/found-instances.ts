import { FoundCounts } from '../core/found-objects.js';
import { ownValues } from '../core/readable.js';
import type { DataApplication } from './applications.js';
import { isSoughtInProperties, recognizeInstances, releaseInstance, traceInstance } from './traced-instances.js';

/** The pools and clients that an application has in dependency injection. */
export class FoundInstances {
  readonly #instances = new Set<object>();
  readonly #counts = new FoundCounts();

  constructor(private readonly application: DataApplication) {}

  readonly onInstance = (candidate: unknown): void => {
    if (this.#look(candidate, this.#keep)) return;
    for (const value of ownValues(candidate)) if (isSoughtInProperties(value)) this.#look(value, this.#keep);
  };

  /** An object of one request is not kept. */
  readonly onRequestInstance = (candidate: unknown): void => void this.#look(candidate, () => {});

  /** Writes what was found so far, if anything was. */
  report(): void {
    this.#counts.report();
  }

  /** Ends the instrumentation of all of them. */
  release(): void {
    for (const instance of this.#instances) releaseInstance(instance, this.application);
    this.#instances.clear();
  }

  readonly #keep = (instance: object): void => void this.#instances.add(instance);

  /** Returns true if a library knows the object. */
  #look(candidate: unknown, onTraced: (instance: object) => void): boolean {
    const recognized = recognizeInstances(candidate, ({ name }) => this.application.settings?.[name] !== undefined);
    for (const found of recognized) {
      if (this.#instances.has(found.instance)) continue;
      this.#counts.add(found.kind.name);
      traceInstance(found, this.application);
      onTraced(found.instance);
    }
    return recognized.length > 0;
  }
}
