import { isSdkDisabled } from '../options/enabled.js';
import type { ResolvedOptions } from '../options/resolve-options.js';
import { DISABLED_RUNTIME, type TracingRuntime } from '../tracing.runtime.js';
import { dispatch } from './lifecycle/dispatch.js';
import { processState, foreignProvider, type Lease } from './lifecycle/process-state.js';

/**
 * Starts to buffer the spans of an application that starts, before its options are known. Does nothing if another SDK has
 * registered a provider, or if `OTEL_SDK_DISABLED` is true.
 */
export function startBuffering(): void {
  if (isSdkDisabled(process.env)) return;
  if (!processState.provider && foreignProvider()) return;
  dispatch('startBuffering');
}

/** Discards the buffered spans, because the application that starts does not trace, or its start has failed. */
export function discardBuffered(): void {
  dispatch('discardBuffered');
}

/**
 * Starts tracing as the options say, for one module.
 *
 * @param application the same object for every module of an application
 * @throws TracingConfigurationError
 */
export function startTracing(options: ResolvedOptions, application: object): TracingRuntime {
  if (!options.enabled) {
    discardBuffered();
    return DISABLED_RUNTIME;
  }
  const { applications } = processState;
  const lease: Lease = { options, isRepeatedModule: applications.has(application), provider: undefined };
  applications.add(application);
  try {
    void dispatch('start', lease);
  } catch (error) {
    discardBuffered();
    throw error;
  }
  return runtimeOf(lease);
}

/** The runtime of a module whose lease has been started. */
function runtimeOf(lease: Lease): TracingRuntime {
  let isAcquired = false;
  let isShutDown = false;
  const release = () => {
    if (!isAcquired) return;
    isAcquired = false;
    void dispatch('release', lease);
  };
  return {
    enabled: true,
    repeated: lease.isRepeatedModule,
    foreignProvider: lease.provider?.isForeign === true,
    acquire() {
      if (isAcquired || isShutDown) return;
      void dispatch('acquire', lease);
      isAcquired = true;
    },
    release,
    async shutdown() {
      if (isShutDown) return;
      release();
      isShutDown = true;
      await dispatch('shutdown', lease);
    },
    flush: async () => lease.provider?.flush(),
    emitLog: (line) => lease.provider?.emitLog(line),
    finishedSpans: () => lease.provider?.finishedSpans() ?? [],
    exportStatistics: () => lease.provider?.exportStatistics() ?? [],
  };
}
