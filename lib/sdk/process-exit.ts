/** Signals that end a process and that it can delay. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export interface ExitExports {
  /** Exports what there is; more may come. */
  flush(): Promise<void>;
  /** Exports what there is, since nothing comes after. */
  finish(): Promise<void>;
}

/**
 * Exports spans before the process ends by a signal, an empty event loop or a fatal error, then lets it end as it would
 * have. Where the application listens to the signal or error itself, ending the process stays its affair.
 *
 * @returns how to undo it
 */
export function flushOnProcessExit({ flush, finish }: ExitExports): () => void {
  function onSignal(signal: NodeJS.Signals): void {
    process.removeListener(signal, onSignal);
    if (process.listenerCount(signal) > 0) void flush();
    else void finish().then(() => process.kill(process.pid, signal));
  }

  function onFatalError(error: unknown): void {
    if (process.listenerCount('uncaughtException') > 1) {
      void flush();
      return;
    }
    process.removeListener('uncaughtException', onFatalError);
    void dieOf(error, finish);
  }

  function onBeforeExit(): void {
    // Node asks again once the export is through, so this must not start another.
    process.removeListener('beforeExit', onBeforeExit);
    void finish();
  }

  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('uncaughtException', onFatalError);
  process.on('beforeExit', onBeforeExit);

  return () => {
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
    process.removeListener('uncaughtException', onFatalError);
    process.removeListener('beforeExit', onBeforeExit);
  };
}

async function dieOf(error: unknown, finish: () => Promise<void>): Promise<void> {
  // But for tracing the process would be dead by now: nothing that goes wrong meanwhile counts, nor does its own exit.
  const ignore = () => {};
  const onExit = () => {
    process.removeListener('uncaughtException', ignore);
    process.exitCode = 1;
    throw error;
  };
  process.on('uncaughtException', ignore);
  process.on('exit', onExit);
  await finish();
  process.removeListener('exit', onExit);
  process.removeListener('uncaughtException', ignore);
  // From a microtask Node reports it with the place it comes from, not with this one.
  queueMicrotask(() => {
    throw error;
  });
}
