import type { TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import { warn } from '../../core/diagnostics.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { registeredProvider, registerPropagator, registerProvider, unregisterProvider } from '../globals.js';
import { flushOnProcessExit } from '../process-exit.js';
import type { ProviderHandle } from '../provider.js';
import { beforeDeadline } from '../../export/time-limit.js';

/** The time that an exporter has, beyond its own limit, to report the spans that it gives up, in milliseconds. */
const GRACE = 50;

/** A tracer provider that any number of modules use, and what is registered together with it. */
export class SharedProvider {
  readonly #timeout: number;
  readonly #onProcessExit: boolean;
  #unregistrations: (() => void)[] = [];
  #shutdown: Promise<void> | undefined;

  constructor(
    private readonly handle: ProviderHandle,
    private readonly propagator: TextMapPropagator,
    { shutdown }: ResolvedOptions,
  ) {
    this.#timeout = shutdown.timeout;
    this.#onProcessExit = shutdown.onProcessExit;
  }

  /** Undefined if OpenTelemetry's API did not accept the provider. */
  get tracerProvider(): TracerProvider | undefined {
    return this.handle.provider;
  }

  /** True if another SDK has registered the provider, so that the library neither replaces it nor shuts it down. */
  get isForeign(): boolean {
    return this.handle.isForeign;
  }

  /** Registers the provider with OpenTelemetry's API, and a propagator and listeners for the end of the process beside it. */
  register(): void {
    const { provider, isForeign } = this.handle;
    if (provider && !isForeign && registeredProvider() !== provider) registerProvider(provider);
    this.#unregistrations.push(registerPropagator(this.propagator));
    if (!this.#onProcessExit) return;
    const exports = { flush: () => this.flush(), flushBeforeExit: () => this.#flushBeforeExit() };
    this.#unregistrations.push(flushOnProcessExit(exports));
  }

  unregister(): void {
    const { provider, isForeign } = this.handle;
    if (provider && !isForeign && registeredProvider() === provider) unregisterProvider();
    for (const unregister of this.#unregistrations.splice(0)) unregister();
  }

  /** Exports the spans that have ended so far. Never rejects. */
  async flush(): Promise<void> {
    if (await beforeDeadline(Date.now() + this.#timeout, () => this.handle.forceFlush())) return;
    warn('flush', `Not all spans could be exported within ${this.#timeout} ms.`);
  }

  /** Exports the spans that have ended, and frees everything that the provider holds. Idempotent. Never rejects. */
  shutdown(): Promise<void> {
    this.unregister();
    return (this.#shutdown ??= this.#withGrace(() => this.handle.shutdown()));
  }

  finishedSpans(): ReturnType<ProviderHandle['finishedSpans']> {
    return this.handle.finishedSpans();
  }

  exportStatistics(): ReturnType<ProviderHandle['exportStatistics']> {
    return this.handle.exportStatistics();
  }

  async #flushBeforeExit(): Promise<void> {
    await this.#withGrace(() => this.handle.flushBeforeExit());
  }

  /** Exporters keep to the limit and report what they give up; the limit is set here for those that do not. */
  async #withGrace(work: () => Promise<void>): Promise<void> {
    await beforeDeadline(Date.now() + this.#timeout + GRACE, work);
  }
}
