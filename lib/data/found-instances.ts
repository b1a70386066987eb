import { callSafely } from '../core/diagnostics.js';
import { FoundCounts } from '../core/found-objects.js';
import { ownValues } from '../core/readable.js';
import type { DataApplication } from './applications.js';
import type { InstanceKind } from './library.js';
import type { PoolState } from './pool-gauges.js';
import { isSoughtInProperties, recognizeInstances, releaseInstance, traceInstance } from './traced-instances.js';

/** The pools and clients that an application has in dependency injection. */
export class FoundInstances {
  readonly #instances = new Map<object, InstanceKind>();
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

  /** Returns the state of each pool among them. */
  readPools(): readonly PoolState[] {
    return [...this.#instances]
      .map(([instance, kind]) => callSafely(`Reading ${kind.name}`, () => kind.readPool?.(instance)))
      .filter((state) => state !== undefined);
  }

  /** Ends the instrumentation of all of them. */
  release(): void {
    for (const instance of this.#instances.keys()) releaseInstance(instance, this.application);
    this.#instances.clear();
  }

  readonly #keep = (instance: object, kind: InstanceKind): void => void this.#instances.set(instance, kind);

  /** Returns true if a library knows the object. */
  #look(candidate: unknown, onTraced: (instance: object, kind: InstanceKind) => void): boolean {
    const recognized = recognizeInstances(candidate, ({ name }) => this.application.settings?.[name] !== undefined);
    for (const found of recognized) {
      if (this.#instances.has(found.instance)) continue;
      this.#counts.add(found.kind.name);
      traceInstance(found, this.application);
      onTraced(found.instance, found.kind);
    }
    return recognized.length > 0;
  }
}
