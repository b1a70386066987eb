import { randomFillSync } from 'node:crypto';

/** Random words, drawn in bulk, because a draw costs more than its words. */
const pool = new Int32Array(2048);
let used = pool.length;
let refill = refillAtRandom;

/** The hexadecimal digits of each byte. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Returns 32 random bits, as a signed integer: V8 keeps it in a field without an allocation. */
export function randomWord(): number {
  if (used === pool.length) refill();
  return pool[used++] as number;
}

/** Draws words from a function instead of at random. @param nextWord undefined to draw at random again */
export function drawWordsFrom(nextWord: (() => number) | undefined): void {
  used = pool.length;
  refill = nextWord ? () => (pool[--used] = nextWord()) : refillAtRandom;
}

function refillAtRandom(): void {
  randomFillSync(pool);
  used = 0;
}

/** Returns the eight hexadecimal digits of a word. */
export function wordText(word: number): string {
  return (
    (HEX[word >>> 24] as string) +
    (HEX[(word >>> 16) & 255] as string) +
    (HEX[(word >>> 8) & 255] as string) +
    (HEX[word & 255] as string)
  );
}

/** Returns the word of eight hexadecimal digits. */
export function parseWord(hex: string, start: number): number {
  let word = 0;
  for (let index = start; index < start + 8; index++) {
    const code = hex.charCodeAt(index);
    // The digits, then both cases of the letters: their lowest four bits count from one.
    word = (word << 4) | (code <= 57 ? code - 48 : (code & 15) + 9);
  }
  return word;
}

/** The id of a trace. A new one is random words, whose text is made only if it is asked for: most traces never need it. */
export class TraceId {
  private constructor(
    private hex: string | undefined,
    readonly word0: number,
    readonly word1: number,
    readonly word2: number,
    readonly word3: number,
  ) {}

  static random(): TraceId {
    for (;;) {
      const word0 = randomWord();
      const word1 = randomWord();
      const word2 = randomWord();
      const word3 = randomWord();
      // An id of zeros only is invalid in W3C Trace Context.
      if ((word0 | word1 | word2 | word3) !== 0) return new TraceId(undefined, word0, word1, word2, word3);
    }
  }

  /** @param hex 32 hexadecimal digits */
  static parse(hex: string): TraceId {
    return new TraceId(hex, parseWord(hex, 0), parseWord(hex, 8), parseWord(hex, 16), parseWord(hex, 24));
  }

  get text(): string {
    const { word0, word1, word2, word3 } = this;
    return (this.hex ??= wordText(word0) + wordText(word1) + wordText(word2) + wordText(word3));
  }
}
