import { setImmediate } from 'node:timers/promises';

/** The process object of Node itself. Tests see a copy, which receives no events of Node. */
const nodeProcess = (globalThis.setTimeout.constructor as FunctionConstructor)('return process')() as NodeJS.Process;

/** Returns the reasons of the rejections that are unhandled when `run` is over, as Node sees them. */
export async function unhandledRejections(run: () => unknown): Promise<unknown[]> {
  const reasons: unknown[] = [];
  // The test runner's own listeners would fail the test.
  const others = nodeProcess.listeners('unhandledRejection');
  nodeProcess.removeAllListeners('unhandledRejection');
  nodeProcess.on('unhandledRejection', (reason) => reasons.push(reason));
  try {
    await run();
    // Node checks after each round of microtasks. Two rounds of the event loop are enough for late rejections.
    await setImmediate();
    await setImmediate();
  } finally {
    nodeProcess.removeAllListeners('unhandledRejection');
    for (const listener of others) nodeProcess.on('unhandledRejection', listener);
  }
  return reasons;
}

/** Resolves at the next unhandled rejection. It is for use within `run`. */
export function rejection(): Promise<void> {
  return new Promise((resolve) => nodeProcess.once('unhandledRejection', () => resolve()));
}
