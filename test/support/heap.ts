import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The number of additional bytes of the heap that are still in use after `run`. */
export async function heapGrowth(run: () => unknown): Promise<number> {
  const before = await heapUsed();
  await run();
  return (await heapUsed()) - before;
}

async function heapUsed(): Promise<number> {
  // An object that one turn of the event loop still holds can be collected in the next.
  for (let turn = 0; turn < 3; turn++) {
    await setImmediate();
    collect();
  }
  return process.memoryUsage().heapUsed;
}
