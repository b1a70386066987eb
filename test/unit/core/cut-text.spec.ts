import { describe, expect, it } from '@jest/globals';
import { array, assert, integer, nat, oneof, property, string } from 'fast-check';
import { copyText, cutText } from '../../../lib/core/cut-text.js';
import { heapGrowth } from '../../support/heap.js';

const codeUnits = array(integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)));
const texts = oneof(
  string(),
  string({ unit: 'binary' }),
  codeUnits.map((units) => units.join('')),
);

function isWellFormed(text: string): boolean {
  return Buffer.from(text).toString() === text;
}

describe('cutText()', () => {
  it.each([
    ['', 5, ''],
    ['short', 5, 'short'],
    ['longer', 5, 'longe'],
    ['longer', 0, ''],
    ['longer', -1, ''],
    ['longer', 2.7, 'lo'],
    ['longer', Infinity, 'longer'],
    ['caf\u00e9s', 4, 'caf\u00e9'],
    ['a\u{1f600}b', 2, 'a'],
    ['a\u{1f600}b', 3, 'a\u{1f600}'],
    ['a\ud83db', 2, 'a\ud83d'],
    ['\ude00\ud83d\ud83d', 2, '\ude00\ud83d'],
  ])('makes %j, at %d, %j', (text, limit, cut) => {
    expect(cutText(text, limit)).toBe(cut);
  });

  it('keeps the beginning of any text, and no half of a pair', () => {
    assert(
      property(texts, nat(40), (text, limit) => {
        const cut = cutText(text, limit);
        expect(text.startsWith(cut)).toBe(true);
        expect(cut.length).toBeLessThanOrEqual(limit);
        expect(cut.length).toBeGreaterThanOrEqual(Math.min(limit, text.length) - 1);
        expect(isWellFormed(cut) || !isWellFormed(text)).toBe(true);
      }),
    );
  });

  it.each(['x', '\u20ac'])('lets go of what was cut off (%s)', async (letter) => {
    const kept: string[] = [];
    const growth = await heapGrowth(() => {
      for (let i = 0; i < 100; i++) kept.push(cutText(`${i} ${letter.repeat(1_000_000)}`, 8192));
    });
    expect(growth).toBeLessThan(10_000_000);
    expect(kept).toHaveLength(100);
  });
});

it('copies any text exactly', () => {
  assert(property(texts, (text) => expect(copyText(text)).toBe(text)));
});
