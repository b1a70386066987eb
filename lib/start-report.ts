import type { HttpAdapterHost } from '@nestjs/core';
import type { ApplicationStartListener } from './application-start.js';
import { callSafely, log, warn } from './core/diagnostics.js';
import type { ResolvedOptions } from './options/resolve-options.js';
import { isSignalHandled } from './sdk/process-exit.js';
import { startLine } from './sdk/start-line.js';

/** The time in which an application calls `enableShutdownHooks()` after its start, in milliseconds: many do it after `listen()`. */
const GRACE = 2000;

/**
 * Returns a listener that reports once how an application is traced, when it has started, and that its last spans will be lost if nothing listens
 * to SIGTERM.
 */
export function createStartReport(
  options: ResolvedOptions,
  hasForeignProvider: boolean,
  adapterHost: HttpAdapterHost,
): ApplicationStartListener {
  return new StartReport(options, hasForeignProvider, adapterHost);
}

class StartReport implements ApplicationStartListener {
  private hasReported = false;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly options: ResolvedOptions,
    private readonly hasForeignProvider: boolean,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  acquire(): void {
    if (this.hasReported) return;
    this.hasReported = true;
    callSafely('The report of the start', () => log(startLine(this.options, this.hasForeignProvider)));
    if (this.mayLoseSpans()) this.timer = setTimeout(() => this.warnOfSignals(), GRACE).unref();
  }

  release(): void {
    clearTimeout(this.timer);
  }

  /** False if the end of the process is handled, or no span waits in this process. */
  private mayLoseSpans(): boolean {
    const { exporters, shutdown } = this.options;
    const isBuffered = exporters.some(({ type }) => type === 'otlp' || type === 'jaeger');
    return isBuffered && !shutdown.onProcessExit && !this.hasForeignProvider;
  }

  private warnOfSignals(): void {
    // A test and a serverless host use an application without listening. They end in other ways than by a signal.
    const server = this.adapterHost.httpAdapter?.getHttpServer() as { listening?: boolean } | undefined;
    if (server?.listening === false || isSignalHandled('SIGTERM')) return;
    warn(
      'signals',
      'The last spans are lost when this process is stopped, because nothing listens to SIGTERM. Call app.enableShutdownHooks() in main.ts, or set shutdown: { onProcessExit: true }.',
    );
  }
}
