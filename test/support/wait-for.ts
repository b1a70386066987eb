import { setTimeout } from 'node:timers/promises';

/** How long a test waits, in milliseconds: less than Jest does, whose message would not say what was missing. */
const PATIENCE = 5000;
/** Between two looks, in milliseconds. */
const PAUSE = 5;

export interface WaitOptions<T> {
  /** What the test waits for, for the message. */
  expected: string;
  look: () => T | Promise<T>;
  /** @default what is seen is truthy */
  isExpected?: (seen: T) => boolean;
  /** The part of what was seen that belongs into the message. @default all of it, as JSON */
  describe?: (seen: T) => string;
  /** @default 5000 */
  patience?: number;
}

/** Looks again and again until what is seen is as expected. Fails with what was expected and what was seen last. */
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
