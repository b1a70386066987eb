import { afterEach, expect, it } from '@jest/globals';
import { currentClock } from '../../../lib/tracer/clock.js';
import { fixValues } from '../../../lib/tracer/fix-values.js';
import { randomWord, TraceId } from '../../../lib/tracer/trace-ids.js';

const undo: (() => void)[] = [];
afterEach(() => {
  for (const each of undo.splice(0)) each();
});

function fix(...words: number[]): () => void {
  let drawn = 0;
  const unfix = fixValues({ nextWord: () => words[drawn++ % words.length]!, time: words[0] });
  undo.push(unfix);
  return unfix;
}

/** Draws more words than are drawn at once. */
function manyWords(): Set<number> {
  return new Set(Array.from({ length: 5000 }, () => randomWord()));
}

it('draws every word from the function, from the next one on', () => {
  randomWord();
  fix(1, 2, 3, 4);
  expect([randomWord(), randomWord()]).toEqual([1, 2]);
  expect(TraceId.random().text).toBe('00000003000000040000000100000002');
  expect(manyWords()).toEqual(new Set([1, 2, 3, 4]));
});

it('draws at random again afterwards', () => {
  fix(5)();
  expect(manyWords().size).toBeGreaterThan(4000);
});

it('keeps the values of the application that has started since', () => {
  const first = fix(1);
  fix(2);
  first();
  expect(randomWord()).toBe(2);
});

it('stops the clock of traces that begin, and of no others', () => {
  const before = currentClock(performance.now());
  const unfix = fix(1_500);
  const stopped = currentClock(performance.now());
  expect(stopped.wallTime(performance.now())).toEqual([1, 500_000_000]);
  expect(stopped.isBehind(performance.now())).toBe(false);
  expect(before.wallTime(performance.now())[0]).toBeGreaterThan(1.7e9);
  unfix();
  expect(currentClock(performance.now()).wallTime(performance.now())[0]).toBeGreaterThan(1.7e9);
});
