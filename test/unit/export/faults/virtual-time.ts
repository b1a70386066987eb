import { setImmediate as nextTurn } from 'node:timers/promises';
import { jest } from '@jest/globals';

/** The time that passes for the library at once, in milliseconds. */
const STEP = 200;
/** The real time in which sockets work between two steps, in milliseconds. */
const REAL_STEP = 1;
/** Turns of the event loop between two steps: a busy machine may leave a process no turn in a millisecond. */
const TURNS = 6;

const { setTimeout: setRealTimeout } = globalThis;

/** Replaces the timers and clocks of the library. Sockets, and the timers of Node itself, work in real time. */
export function fakeTime(): void {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'clearImmediate'] });
}

/** Lets real time pass, in which sockets work. */
export function realTime(milliseconds = REAL_STEP): Promise<void> {
  return new Promise((resolve) => void setRealTimeout(resolve, milliseconds));
}

/**
 * Lets time pass for the library in steps.
 *
 * @param each called after each step; true ends the time
 * @param realStep the real time between two steps, in milliseconds
 */
export async function pass(milliseconds: number, each: () => unknown = () => {}, realStep = REAL_STEP): Promise<void> {
  for (let passed = 0; passed < milliseconds; passed += STEP) {
    jest.advanceTimersByTime(STEP);
    await realTime(realStep);
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
    if (each() === true) return;
  }
}
