import { types } from 'node:util';
import { callSafely, debug } from '../core/diagnostics.js';
import { isObject } from '../core/is-object.js';
import type { ProviderWatchOptions } from '../core/provider-instances.js';
import type { JobHost } from './job-host.js';

/** The objects that run jobs, as they are found in the dependency injection of an application. */
export class FoundHosts implements ProviderWatchOptions {
  readonly #undos = new Map<object, () => void>();
  /** The number of objects of each kind. */
  readonly #counts = new Map<string, number>();

  constructor(private readonly kinds: readonly JobHost[]) {}

  readonly onInstance = (candidate: unknown): void => {
    if (!isObject(candidate) || types.isProxy(candidate) || this.#undos.has(candidate)) return;
    for (const kind of this.kinds) {
      if (callSafely(`Looking for a ${kind.name}`, () => kind.matches(candidate)) !== true) continue;
      const undo = callSafely(`Tracing a ${kind.name}`, () => kind.instrument(candidate));
      this.#undos.set(candidate, undo ?? (() => {}));
      this.#counts.set(kind.name, (this.#counts.get(kind.name) ?? 0) + 1);
      return;
    }
  };

  /** Nothing that lives as long as one request runs jobs. */
  readonly onRequestInstance = (): void => {};
  readonly watchesFactory = (): boolean => false;

  /** Writes what was found so far, if anything was. */
  report(): void {
    const found = [...this.#counts].map(([kind, count]) => (count === 1 ? kind : `${count} × ${kind}`));
    if (found.length > 0) debug(`Found in dependency injection and traced: ${found.join(', ')}`);
  }

  /** Ends the instrumentation of all of them. */
  release(): void {
    for (const undo of this.#undos.values()) callSafely('Ending the tracing of jobs', undo);
    this.#undos.clear();
  }
}
