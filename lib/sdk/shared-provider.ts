import type { TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import { warn } from '../core/diagnostics.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { registeredProvider, registerPropagator, registerProvider, unregisterProvider } from './globals.js';
import { flushOnProcessExit } from './process-exit.js';
import type { ProviderHandle } from './provider.js';
import { beforeDeadline } from './time-limit.js';

/** Time for an exporter to say what it gives up, in milliseconds. */
const GRACE = 50;

/** A tracer provider that any number of modules use: the last to leave closes it. */
export class SharedProvider {
  /** Modules whose application is up. */
  users = 0;
  readonly #timeout: number;
  readonly #onProcessExit: boolean;
  #undo: (() => void)[] = [];
  #closed: Promise<void> | undefined;

  constructor(
    private readonly handle: ProviderHandle,
    private readonly propagator: TextMapPropagator,
    { shutdown }: ResolvedOptions,
  ) {
    this.#timeout = shutdown.timeout;
    this.#onProcessExit = shutdown.onProcessExit;
  }

  get provider(): TracerProvider | undefined {
    return this.handle.provider;
  }

  /** Whether it was there before us, so that it is not ours to register or to close. */
  get foreign(): boolean {
    return this.handle.foreign;
  }

  /** Makes it the one that OpenTelemetry's API hands out. */
  attach(): void {
    const { provider, foreign } = this.handle;
    if (provider && !foreign && registeredProvider() !== provider) registerProvider(provider);
    this.#undo.push(registerPropagator(this.propagator));
    if (!this.#onProcessExit) return;
    this.#undo.push(flushOnProcessExit({ flush: () => this.flush(), finish: () => this.#finish() }));
  }

  detach(): void {
    const { provider, foreign } = this.handle;
    if (provider && !foreign && registeredProvider() === provider) unregisterProvider();
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** Exports what has ended so far. Never rejects. */
  async flush(): Promise<void> {
    if (await beforeDeadline(Date.now() + this.#timeout, () => this.handle.forceFlush())) return;
    warn('flush', `Not all spans could be exported within ${this.#timeout} ms.`);
  }

  /** Exports what there is and lets go of everything, once. Never rejects. */
  close(): Promise<void> {
    this.detach();
    return (this.#closed ??= this.#withGrace(() => this.handle.shutdown()));
  }

  finishedSpans(): ReturnType<ProviderHandle['finishedSpans']> {
    return this.handle.finishedSpans();
  }

  exportStatistics(): ReturnType<ProviderHandle['exportStatistics']> {
    return this.handle.exportStatistics();
  }

  /** The export before the process ends. */
  async #finish(): Promise<void> {
    await this.#withGrace(() => this.handle.finish());
  }

  /** Exporters keep to the limit and say so; it is set here for those that do not. */
  async #withGrace(work: () => Promise<void>): Promise<void> {
    await beforeDeadline(Date.now() + this.#timeout + GRACE, work);
  }
}
