import { Buffer } from 'node:buffer';

/** The size of the smallest buffers; larger ones have the next power of two. */
const MIN_SIZE = 64 * 1024;
/** A larger buffer is not kept. */
const MAX_SIZE = 1024 * 1024;
/** Buffers of one size that are kept. */
const MAX_KEPT = 16;

const kept = new Map<number, Buffer[]>();

/**
 * Returns a buffer of at least this size, with any content.
 *
 * V8 starts a full garbage collection for every few megabytes of new buffers, however small the heap is. At full load that were four of them
 * in a second, which took 15 % of the time of the process (Node 24): so buffers are used again.
 */
export function takeBuffer(size: number): Buffer {
  const rounded = size <= MIN_SIZE ? MIN_SIZE : 2 ** Math.ceil(Math.log2(size));
  return kept.get(rounded)?.pop() ?? Buffer.allocUnsafeSlow(rounded);
}

/** Takes back a buffer that nothing uses any longer. */
export function returnBuffer(buffer: Buffer): void {
  const { length } = buffer;
  // A part of a buffer, or a buffer from elsewhere, is left to the garbage collector.
  if (
    length > MAX_SIZE ||
    length < MIN_SIZE ||
    length !== buffer.buffer.byteLength ||
    !Number.isInteger(Math.log2(length))
  )
    return;
  const ofSize = kept.get(length);
  if (!ofSize) kept.set(length, [buffer]);
  else if (ofSize.length < MAX_KEPT) ofSize.push(buffer);
}
