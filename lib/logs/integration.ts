import { Logger } from '@nestjs/common';
import type { Integration, IntegrationHooks } from '../core/integration.js';
import { watchProviders, type ProviderWatch } from '../core/provider-instances.js';
import type { ResolvedLogs } from '../options/logs.js';
import { applications } from './applications.js';
import { followPino } from './follow-pino.js';
import { isConsoleLogger, traceLogger } from './trace-logger.js';

/**
 * Adds the trace to the log lines of Nest's `ConsoleLogger`: the logger of the application, and those that are providers. Exports these lines
 * and those of pino.
 */
export const logsIntegration: Integration<{ readonly logs: ResolvedLogs | undefined }> = {
  name: 'logs',
  start({ logs }, { emitLog, modules }): IntegrationHooks | undefined {
    if (!logs || (!logs.json && !logs.text && !logs.export)) return undefined;
    const undos = new Map<object, () => void>();
    let providers: ProviderWatch | undefined;
    const application = logs.export && applications.add({ emit: emitLog }, unfollowIfUnused);
    if (application) follow();

    function look(candidate: unknown): void {
      if (isConsoleLogger(candidate) && !undos.has(candidate))
        undos.set(candidate, traceLogger(candidate, logs as ResolvedLogs, emitLog));
    }
    /** A logger of one request is not kept. */
    function lookForRequest(candidate: unknown): void {
      if (isConsoleLogger(candidate)) traceLogger(candidate, logs as ResolvedLogs, emitLog);
    }
    /** The application may replace its logger by `app.useLogger()`. */
    function lookAtApplicationLogger(): void {
      look((Logger as unknown as { staticInstanceRef?: unknown }).staticInstanceRef);
    }

    lookAtApplicationLogger();
    return {
      providersReady() {
        lookAtApplicationLogger();
        providers = watchProviders(modules, { onInstance: look, onRequestInstance: lookForRequest });
      },
      acquire() {
        lookAtApplicationLogger();
        providers?.scan();
        if (!application) return;
        application.acquire();
        follow();
      },
      release: () => application?.release(),
      shutdown() {
        application?.remove();
        providers?.stop();
        for (const undo of undos.values()) undo();
        undos.clear();
      },
    };
  },
};

/** Ends the subscription, which all applications that use this copy of the library share. */
let unfollow: (() => void) | undefined;

function follow(): void {
  unfollow ??= followPino((line) => applications.newest?.emit(line));
}

function unfollowIfUnused(): void {
  if (applications.hasOwnApplications) return;
  unfollow?.();
  unfollow = undefined;
}
