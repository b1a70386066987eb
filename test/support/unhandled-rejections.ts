import { setImmediate } from 'node:timers/promises';

/** The process of Node itself: the one that tests see is a copy, on which no event of Node arrives. */
const nodeProcess = (globalThis.setTimeout.constructor as FunctionConstructor)('return process')() as NodeJS.Process;

/** Returns the reasons of the rejections that are unhandled when `run` is over, as Node sees them. */
export async function unhandledRejections(run: () => unknown): Promise<unknown[]> {
  const reasons: unknown[] = [];
  // The test runner's own would fail the test.
  const others = nodeProcess.listeners('unhandledRejection');
  nodeProcess.removeAllListeners('unhandledRejection');
  nodeProcess.on('unhandledRejection', (reason) => reasons.push(reason));
  try {
    await run();
    // Node looks after each round of microtasks; two rounds of the event loop leave room for late ones.
    await setImmediate();
    await setImmediate();
  } finally {
    nodeProcess.removeAllListeners('unhandledRejection');
    for (const listener of others) nodeProcess.on('unhandledRejection', listener);
  }
  return reasons;
}

/** Resolves at the next unhandled rejection; for use within `run`. */
export function rejection(): Promise<void> {
  return new Promise((resolve) => nodeProcess.once('unhandledRejection', () => resolve()));
}
