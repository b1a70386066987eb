import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects all objects that nothing holds. */
export async function collectGarbage(): Promise<void> {
  // An object that was read from a `WeakRef`, or that one turn of the event loop still holds, can be collected in a later turn.
  for (let round = 0; round < 3; round++) {
    await turn();
    collect();
  }
}

/** Returns how many of the objects are still held after all others were collected. */
export async function countHeld(refs: readonly WeakRef<object>[]): Promise<number> {
  await collectGarbage();
  return refs.filter((ref) => ref.deref() !== undefined).length;
}
