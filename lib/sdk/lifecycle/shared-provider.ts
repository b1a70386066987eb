import type { TextMapPropagator } from '@opentelemetry/api';
import { warn } from '../../core/diagnostics.js';
import type { LogLine } from '../../core/log-line.js';
import type { ResolvedOptions } from '../../options/resolve-options.js';
import { registeredProvider, registerPropagator, registerProvider, unregisterProvider } from '../globals.js';
import { flushOnProcessExit } from '../process-exit.js';
import type { LibraryTracerProvider } from '../../tracer/tracer-provider.js';
import type { ProviderHandle } from '../provider.js';
import { warnOfDroppedEarlySpans, warnOfVersions } from './warnings.js';
import { beforeDeadline } from '../../export/time-limit.js';

/** The time that an exporter has, beyond its own limit, to report the spans that it gives up, in milliseconds. */
const GRACE = 50;

/** A tracer provider that any number of modules use, and what is registered together with it. */
export class SharedProvider {
  readonly #timeout: number;
  readonly #onProcessExit: boolean;
  #unregistrations: (() => void)[] = [];
  /** True if this object has registered the tracer provider, which others share. */
  #isRegistered = false;
  #shutdown: Promise<void> | undefined;

  constructor(
    private readonly handle: ProviderHandle,
    private readonly tracerProvider: LibraryTracerProvider,
    private readonly propagator: TextMapPropagator,
    { shutdown }: ResolvedOptions,
  ) {
    this.#timeout = shutdown.timeout;
    this.#onProcessExit = shutdown.onProcessExit;
  }

  /** True if another SDK has registered the provider, so that the library neither replaces it nor shuts it down. */
  get isForeign(): boolean {
    return this.handle.pipeline === undefined;
  }

  /** Registers the provider with OpenTelemetry's API, and a propagator and listeners for the end of the process beside it. */
  register(): void {
    if (!this.isForeign) this.#registerTracerProvider();
    this.#unregistrations.push(registerPropagator(this.propagator));
    if (this.handle.logs) this.#unregistrations.push(this.handle.logs.register());
    if (!this.#onProcessExit) return;
    const exports = { flush: () => this.flush(), flushBeforeExit: () => this.#flushBeforeExit() };
    this.#unregistrations.push(flushOnProcessExit(exports));
  }

  /** Sends every span where the options say. */
  use(): void {
    const { otherProvider, pipeline } = this.handle;
    if (pipeline) {
      const dropped = this.tracerProvider.use(pipeline, otherProvider);
      if (dropped > 0) warnOfDroppedEarlySpans(dropped);
    } else if (otherProvider) this.tracerProvider.passTo(otherProvider);
  }

  unregister(): void {
    if (this.#isRegistered && registeredProvider() === this.tracerProvider) unregisterProvider();
    this.#isRegistered = false;
    for (const unregister of this.#unregistrations.splice(0)) unregister();
  }

  #registerTracerProvider(): void {
    const { tracerProvider } = this;
    this.#isRegistered = true;
    if (registeredProvider() === tracerProvider) return;
    registerProvider(tracerProvider);
    if (registeredProvider() !== tracerProvider) warnOfVersions();
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

  /** Exports what a logger has written, if the options say so. */
  emitLog(line: LogLine): void {
    this.handle.logs?.emit(line);
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
