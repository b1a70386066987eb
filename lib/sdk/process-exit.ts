/** Signals that end a process, and whose effect the process can delay. */
const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

export interface ExitExports {
  /** Exports the spans that have ended; the process may go on. */
  flush(): Promise<void>;
  /** Exports the spans that have ended, for the last time. */
  flushBeforeExit(): Promise<void>;
}

/**
 * Exports spans before the process ends by a signal, an empty event loop or a fatal error, then lets it end as it would
 * have without tracing. If the application itself listens to the signal or error, it is left to the application to end the
 * process.
 *
 * @returns a function that removes the listeners
 */
export function flushOnProcessExit({ flush, flushBeforeExit }: ExitExports): () => void {
  let isEnding = false;

  function onSignal(signal: NodeJS.Signals): void {
    const endBy = () => {
      process.removeListener(signal, onSignal);
      process.kill(process.pid, signal);
    };
    if (isEnding) {
      endBy();
    } else if (process.listenerCount(signal) - 1 > yieldingListeners()) {
      process.removeListener(signal, onSignal);
      void flush();
    } else {
      // This listener stays until the export is done: a listener that yields would end the process as soon as it is the last one.
      isEnding = true;
      void flushBeforeExit().then(endBy);
    }
  }

  function onFatalError(error: unknown): void {
    if (process.listenerCount('uncaughtException') > 1) {
      void flush();
      return;
    }
    process.removeListener('uncaughtException', onFatalError);
    void endWith(error, flushBeforeExit);
  }

  function onBeforeExit(): void {
    // Node emits the event again when the export is done, and a second export would never let the process end.
    process.removeListener('beforeExit', onBeforeExit);
    void flushBeforeExit();
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

/** True if something listens to a signal, and ends the process. */
export function isSignalHandled(signal: NodeJS.Signals): boolean {
  return process.listenerCount(signal) > yieldingListeners();
}

/**
 * Returns the number of listeners of the package `signal-exit`, of each of its two generations. They end the process only if nothing else listens,
 * and would wait for this library as it would for them, so that the process would never end.
 */
function yieldingListeners(): number {
  const holders = [
    Reflect.get(process, '__signal_exit_emitter__'),
    Reflect.get(globalThis, Symbol.for('signal-exit emitter')),
  ] as ({ count?: unknown } | undefined)[];
  return holders.reduce((sum, holder) => sum + (typeof holder?.count === 'number' ? holder.count : 0), 0);
}

/** Ends the process with an error that no listener of the application handles, after the export. */
async function endWith(error: unknown, flushBeforeExit: () => Promise<void>): Promise<void> {
  // Without tracing the process would have ended by now: further errors are ignored, and `process.exit()` ends with this one.
  const ignore = () => {};
  const onExit = () => {
    process.removeListener('uncaughtException', ignore);
    process.exitCode = 1;
    throw error;
  };
  process.on('uncaughtException', ignore);
  process.on('exit', onExit);
  await flushBeforeExit();
  process.removeListener('exit', onExit);
  process.removeListener('uncaughtException', ignore);
  // Thrown in a microtask, Node reports the error with its own source line rather than with this one.
  queueMicrotask(() => {
    throw error;
  });
}
