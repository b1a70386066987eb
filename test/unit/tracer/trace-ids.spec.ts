import { describe, expect, it } from '@jest/globals';
import { parseWord, randomWord, TraceId, wordText } from '../../../lib/tracer/trace-ids.js';

describe('the id of a trace', () => {
  it('is unique, and valid in W3C Trace Context', () => {
    const texts = Array.from({ length: 2000 }, () => TraceId.random().text);
    expect(texts.every((id) => /^(?!0+$)[\da-f]{32}$/.test(id))).toBe(true);
    expect(new Set(texts).size).toBe(2000);
  });

  it.each(['4bf92f3577b34da6a3ce929d0e0e4736', '00000000000000000000000000000001', 'ffffffffffffffffffffffffffffffff'])(
    'has the words of its text: %s',
    (text) => {
      const { word0, word1, word2, word3 } = TraceId.parse(text);
      expect([word0, word1, word2, word3].map(wordText).join('')).toBe(text);
    },
  );

  it('keeps the text that it was parsed from, also in capital letters', () => {
    const text = '4BF92F3577B34DA6A3CE929D0E0E4736';
    expect(TraceId.parse(text).text).toBe(text);
    expect(TraceId.parse(text).word0).toBe(TraceId.parse(text.toLowerCase()).word0);
  });
});

describe('a random word', () => {
  it('has any bit', () => {
    let set = 0;
    let cleared = 0;
    for (let index = 0; index < 10_000; index++) {
      const word = randomWord();
      set |= word;
      cleared |= ~word;
      expect(parseWord(wordText(word), 0)).toBe(word);
    }
    expect([set, cleared]).toEqual([-1, -1]);
  });
});
