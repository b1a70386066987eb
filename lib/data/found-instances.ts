import { debug } from '../core/diagnostics.js';
import { isObject } from '../core/is-object.js';
import type { DataApplication } from './applications.js';
import { recognizeInstance, releaseInstance, traceInstance } from './traced-instances.js';

/** The pools and clients that an application has in dependency injection. */
export class FoundInstances {
  readonly #instances = new Set<object>();
  /** The number of objects of each kind. */
  readonly #counts = new Map<string, number>();

  constructor(private readonly application: DataApplication) {}

  readonly onInstance = (candidate: unknown): void => {
    if (!isObject(candidate) || this.#instances.has(candidate)) return;
    if (this.#trace(candidate)) this.#instances.add(candidate);
  };

  /** An object of one request is not kept. */
  readonly onRequestInstance = (candidate: unknown): void => {
    if (isObject(candidate)) this.#trace(candidate);
  };

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

  #trace(candidate: object): boolean {
    const recognized = recognizeInstance(candidate);
    if (!recognized || !this.application.settings?.[recognized.library.name]) return false;
    this.#counts.set(recognized.kind.name, (this.#counts.get(recognized.kind.name) ?? 0) + 1);
    traceInstance(candidate, recognized, this.application);
    return true;
  }
}
