import { collectGarbage } from './garbage.js';

/** The number of additional bytes of the heap that are still in use after `run`. */
export async function heapGrowth(run: () => unknown): Promise<number> {
  const before = await heapUsed();
  await run();
  return (await heapUsed()) - before;
}

/** The number of bytes of the heap that are in use, without garbage. */
export async function heapUsed(): Promise<number> {
  await collectGarbage();
  return process.memoryUsage().heapUsed;
}
