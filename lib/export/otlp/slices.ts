import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest time in one turn of the event loop, in milliseconds. */
const MAX_SLICE = 2;
/** The clock is read once in so many steps, since reading it takes as long as a small step. */
const STEPS_BETWEEN_READINGS = 8;

/** Call it after each step of long work. Returns a promise if the work must let others run before its next step. */
export type Pause = () => Promise<void> | undefined;

/** Cuts long work into slices, between which the event loop goes on. */
export function createPause(): Pause {
  let steps = 0;
  let sliceStart = performance.now();
  const letOthersRun = async (): Promise<void> => {
    await nextTurn();
    sliceStart = performance.now();
  };
  return () => {
    const isDue = ++steps % STEPS_BETWEEN_READINGS === 0 && performance.now() - sliceStart >= MAX_SLICE;
    return isDue ? letOthersRun() : undefined;
  };
}
