import { setTimeout } from 'node:timers/promises';

/** The time limit in milliseconds. It is shorter than Jest's, whose message would not say what was missing. */
const PATIENCE = 20_000;
/** The time between two looks, in milliseconds. */
const PAUSE = 5;

export interface WaitOptions<T> {
  /** The description of the expected state, for the message. */
  expected: string;
  look: () => T | Promise<T>;
  /** True if the value is the expected one. @default true if the value is truthy */
  isExpected?: (seen: T) => boolean;
  /** The part of the last value that belongs into the message. @default all of it, as JSON */
  describe?: (seen: T) => string;
  /** @default 5000 */
  patience?: number;
}

/** Calls `look` repeatedly until its result is as expected. Fails with a message that has the expectation and the last result. */
export async function waitFor<T>(options: WaitOptions<T>): Promise<T> {
  const { expected, look, isExpected = Boolean, describe = JSON.stringify, patience = PATIENCE } = options;
  const deadline = performance.now() + patience;
  for (;;) {
    const seen = await look();
    if (isExpected(seen)) return seen;
    if (performance.now() > deadline) {
      throw new Error(`Expected ${expected}; after ${patience} ms, this was seen: ${describe(seen)}`);
    }
    await setTimeout(PAUSE);
  }
}
